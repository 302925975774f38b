"""python3 client.py BASE_URL API_KEY API_SECRET CARD PORTRAIT   (needs: pip install requests)"""

import sys

import requests

base_url, api_key, api_secret, card, portrait = sys.argv[1:]
with open(card, "rb") as img1, open(portrait, "rb") as img2:
    response = requests.post(
        base_url + "/api/v2/ekyc/face_matching",
        params={"type1": "card", "format_type": "file"},
        auth=(api_key, api_secret),
        files={"img1": img1, "img2": img2},
        timeout=30,
    )
response.raise_for_status()  # 503: busy, try again later; never the outcome of a comparison
reply = response.json()
if reply["errorCode"] != "0":
    sys.exit(f"error {reply['errorCode']}: {reply['errorMessage']}")
data = reply["data"]
# invalidCode is a string in the documented profile and a number in the observed one.
print(f"match={data['match']} matching={float(data['matching'])} invalidCode={int(data['invalidCode'])}")
