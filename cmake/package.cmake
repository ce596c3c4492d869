# The Debian package: `cpack --config build/release/CPackConfig.cmake`, or ./dev package.
file(STRINGS ${CMAKE_SOURCE_DIR}/packaging/runtime-packages RUNTIME REGEX "^[^#]")
list(JOIN RUNTIME ", " RUNTIME)

install(FILES packaging/quern-worker.service packaging/quern-worker@.service packaging/quern-maintain.service
    packaging/quern-maintain.timer DESTINATION lib/systemd/system COMPONENT system)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright)
install(FILES packaging/sysusers.conf DESTINATION lib/sysusers.d RENAME quern.conf COMPONENT system)
install(FILES packaging/quern.yaml packaging/quern.env DESTINATION /etc/quern COMPONENT system)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME quern)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "quern maintainers <quern@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "asynchronous job queue and workers for model calls")
set(CPACK_PACKAGE_DESCRIPTION "Tasks go through Apache Kafka to workers, which call model services over HTTP and write
results and exact costs to PostgreSQL: nothing lost, nothing paid twice.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "${RUNTIME}, systemd-standalone-sysusers | systemd")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON) # with the versions that the libraries' symbols ask for
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_SOURCE_DIR}/packaging/postinst ${CMAKE_SOURCE_DIR}/packaging/prerm
    ${CMAKE_SOURCE_DIR}/packaging/postrm ${CMAKE_BINARY_DIR}/conffiles)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
file(WRITE ${CMAKE_BINARY_DIR}/conffiles "/etc/quern/quern.yaml\n/etc/quern/quern.env\n")
include(CPack)
