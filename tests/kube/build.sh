#!/usr/bin/env bash
# build.sh DIR: a real Kubernetes API server, etcd and kubectl from their Go modules, into DIR. Takes some minutes;
# what is there already is kept. Needs Go.
set -euo pipefail
DIR=$(readlink -f "$1")
KUBE=1.34.2      # github.com/kubernetes/kubernetes; its staging modules are v0.34.2
ETCD=3.6.5
export CGO_ENABLED=0 GOFLAGS=-mod=mod

# scratch NAME: an empty module to build in.
scratch() {
    rm -rf "$DIR/src/$1"
    mkdir -p "$DIR/src/$1"
    cd "$DIR/src/$1"
}

# The published k8s.io/kubernetes requires its parts at v0.0.0: each is replaced by the release of the same number, and
# its godebug settings are taken over.
build_apiserver() {
    scratch apiserver
    local mod
    mod=$(go mod download -json "k8s.io/kubernetes@v$KUBE" | sed -n 's/.*"GoMod": "\(.*\)",/\1/p')
    {
        printf 'module scratch\n\n'
        sed -n '/^go /p; /^godebug (/,/^)/p; /^godebug [^(]/p' "$mod"
        printf '\nrequire k8s.io/kubernetes v%s\n' "$KUBE"
        sed -n 's|^[ \t]*\(k8s.io/[a-z0-9-]*\) v0\.0\.0$|\1|p' "$mod" | sort -u | while read -r part; do
            printf 'require %s v0.%s\nreplace %s v0.0.0 => %s v0.%s\n' "$part" "${KUBE#1.}" "$part" "$part" "${KUBE#1.}"
        done
    } >go.mod
    printf 'package main\n\nimport _ "k8s.io/kubernetes/cmd/kube-apiserver/app"\n\nfunc main() {}\n' >main.go
    go mod tidy
    go build -o "$DIR/kube-apiserver" k8s.io/kubernetes/cmd/kube-apiserver
}

build_etcd() {
    scratch etcd
    cat >main.go <<'GO'
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() { etcdmain.Main(os.Args) }
GO
    printf 'module scratch\n\ngo 1.24\n\nrequire go.etcd.io/etcd/server/v3 v%s\n' "$ETCD" >go.mod
    go mod tidy
    go build -o "$DIR/etcd" .
}

build_kubectl() {
    scratch kubectl
    cat >main.go <<'GO'
package main

import (
	"os"

	"k8s.io/component-base/cli"
	"k8s.io/kubectl/pkg/cmd"
)

func main() { os.Exit(cli.Run(cmd.NewDefaultKubectlCommand())) }
GO
    printf 'module scratch\n\ngo 1.24\n\nrequire k8s.io/kubectl v0.%s\n' "${KUBE#1.}" >go.mod
    go mod tidy
    go build -o "$DIR/kubectl" .
}

mkdir -p "$DIR"
for part in etcd kubectl apiserver; do
    name=$part
    [ "$part" = apiserver ] && name=kube-apiserver
    [ -x "$DIR/$name" ] || { echo "building $name" >&2; "build_$part"; }
done
rm -rf "$DIR/src"
