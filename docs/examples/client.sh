#!/bin/sh
# sh client.sh BASE_URL API_KEY API_SECRET CARD PORTRAIT   (needs curl)
set -eu
# The credentials go to curl by standard input: arguments can be seen by every user of the machine.
printf 'user = "%s:%s"\n' "$2" "$3" |
  curl --silent --show-error --fail --max-time 30 --config - \
    -F "img1=@$4" -F "img2=@$5" \
    "$1/api/v2/ekyc/face_matching?type1=card&format_type=file"
