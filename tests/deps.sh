#!/bin/sh
# Installs missing packages with apt-get (through sudo if not root); prints the list on other systems.
#   deps.sh build    compiler, libraries, Check, gnuplot, a font       deps.sh lint    the linters
#   deps.sh clang    clang and its OpenMP library
set -eu
wanted=""
for group in "$@"; do
    case $group in
    build) # the font is small and has Hangul
        wanted="$wanted gcc libc6-dev libdnnl-dev libjansson-dev libutf8proc-dev libxxhash-dev"
        wanted="$wanted check gnuplot-nox fonts-wqy-microhei"
        ;;
    clang) wanted="$wanted clang-14 libomp-14-dev" ;;
    lint) wanted="$wanted clang-format-14 cppcheck shellcheck" ;;
    *) echo "deps.sh: unknown group $group" >&2; exit 2 ;;
    esac
done

if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "This system is not Debian. Please install these packages, under the names that your system uses:"
    echo "   $wanted"
    exit 0
fi

missing=""
for package in $wanted; do
    # Any other package of gnuplot is as good.
    [ "$package" = gnuplot-nox ] && command -v gnuplot >/dev/null 2>&1 && continue
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
        missing="$missing $package"
done
[ -n "$missing" ] || exit 0

sudo=""
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null 2>&1 || {
        echo "Please install, as root: apt-get install$missing" >&2
        exit 1
    }
    sudo="sudo"
fi
echo "Installing:$missing" >&2
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq
# shellcheck disable=SC2086 # a list of names, split on purpose
$sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null
