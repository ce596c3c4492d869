# Turns files into C arrays: cmake -DOUT=x.c -DNAME=sym "-DFILES=a;b" -P embed.cmake
# Each file becomes an entry {name, bytes, length} of `const struct embedded NAME[]`.
set(body "#include \"common/embed.h\"\n")
set(table "")
set(i 0)
foreach(file IN LISTS FILES)
    file(READ "${file}" hex HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "(char)0x\\1," bytes "${hex}")
    get_filename_component(base "${file}" NAME)
    string(APPEND body "static const char f${i}[] = {${bytes}0};\n")
    string(APPEND table "    {\"${base}\", f${i}, sizeof(f${i}) - 1},\n")
    math(EXPR i "${i} + 1")
endforeach()
file(WRITE "${OUT}" "${body}const struct embedded ${NAME}[] = {\n${table}    {0, 0, 0},\n};\n")
