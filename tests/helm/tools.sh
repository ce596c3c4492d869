#!/usr/bin/env bash
# tools.sh DIR: helm, kubeconform, the schemas of Kubernetes and of the CRDs that the chart uses, into DIR. What is
# there already is kept. Needs Go and pip.
set -euo pipefail
DIR=$(readlink -f "$1")
HERE=$(dirname "$(readlink -f "$0")")
HELM=v3.22.0 KUBECONFORM=v0.8.0 KEDA=v2.21.0 OPERATOR=v0.85.0 KUBERNETES_VALIDATE=1.37.0
export GOFLAGS=-mod=mod

go_tool() { [ -x "$DIR/$1" ] || GOBIN=$DIR go install "$2"; }

# module_dir PATH@VERSION: where the Go module is, fetched if need be.
module_dir() { go mod download -json "$1" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p'; }

crds() {
    [ -d "$DIR/crds" ] && return
    local keda operator
    keda=$(module_dir "github.com/kedacore/keda/v2@$KEDA")
    operator=$(module_dir "github.com/prometheus-operator/prometheus-operator@$OPERATOR")
    mkdir -p "$DIR/crds.new"
    cp "$keda"/config/crd/bases/keda.sh_{scaledobjects,triggerauthentications}.yaml \
        "$operator"/example/prometheus-operator-crd/monitoring.coreos.com_{servicemonitors,podmonitors,prometheusrules}.yaml \
        "$DIR/crds.new"
    chmod -R u+w "$DIR/crds.new"
    mv "$DIR/crds.new" "$DIR/crds"
}

schemas() {
    [ -d "$DIR/schemas" ] && return
    rm -rf "$DIR/wheel" "$DIR/schemas.new"
    mkdir -p "$DIR/wheel" "$DIR/schemas.new/crd"
    /usr/bin/python3 -m pip download -q --no-deps -d "$DIR/wheel" "kubernetes-validate==$KUBERNETES_VALIDATE"
    /usr/bin/python3 -m zipfile -e "$DIR"/wheel/*.whl "$DIR/wheel/out"
    for version in 1.29 1.34 1.37; do
        local found
        found=$(find "$DIR/wheel/out" -type d -name "v$version.*-local-strict" -o -type d -name "v$version.*-standalone-strict" | sort | tail -1)
        [ -n "$found" ] || { echo "no schemas of Kubernetes $version" >&2; exit 1; }
        mv "$found" "$DIR/schemas.new/$version"
        # They call themselves, and refer to each other, by a server's addresses.
        # shellcheck disable=SC2016  # $id is no variable
        find "$DIR/schemas.new/$version" -name '*.json' \
            -exec sed -i 's|"/api/_definitions.json#|"_definitions.json#|; s|"$id": "https:|"$comment": "https:|' {} +
    done
    /usr/bin/python3 "$HERE/crds.py" "$DIR/schemas.new/crd" "$DIR"/crds/*.yaml
    rm -rf "$DIR/wheel"
    mv "$DIR/schemas.new" "$DIR/schemas"
}

mkdir -p "$DIR"
command -v go >/dev/null || { echo "tools.sh: Go 1.24 or later is needed to build helm and kubeconform" >&2; exit 1; }
go_tool helm "helm.sh/helm/v3/cmd/helm@$HELM"
go_tool kubeconform "github.com/yannh/kubeconform/cmd/kubeconform@$KUBECONFORM"
crds
schemas
