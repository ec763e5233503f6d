#!/bin/sh
# Keeps the newest archives of a folder and removes the others.
set -eu

folder=${1:?usage: rotate.sh FOLDER [KEEP]}
keep=${2:-7}

if [ ! -d "$folder" ]; then
    echo "rotate.sh: $folder is no folder" >&2
    exit 1
fi

count=0
for archive in $(ls -t "$folder"); do
    case $archive in
        *.tar.gz|*.tar.xz) count=$((count + 1)) ;;
        *) continue ;;
    esac
    if [ "$count" -gt "$keep" ]; then
        rm -f -- "$folder/$archive"
        echo "removed $archive"
    fi
done
