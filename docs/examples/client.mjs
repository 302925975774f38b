// node client.mjs BASE_URL API_KEY API_SECRET CARD PORTRAIT   (Node.js 18 or newer, nothing to install)
import { readFile } from "node:fs/promises";

const [baseUrl, apiKey, apiSecret, card, portrait] = process.argv.slice(2);
const form = new FormData();
form.append("img1", new Blob([await readFile(card)]), "card.jpg");
form.append("img2", new Blob([await readFile(portrait)]), "portrait.jpg");

const response = await fetch(`${baseUrl}/api/v2/ekyc/face_matching?type1=card&format_type=file`, {
  method: "POST",
  headers: { Authorization: "Basic " + Buffer.from(`${apiKey}:${apiSecret}`).toString("base64") },
  body: form, // fetch sets the Content-Type with its boundary: do not set it by hand
  signal: AbortSignal.timeout(30_000),
});
if (!response.ok) throw new Error(`HTTP ${response.status}`);
const { data, errorCode, errorMessage } = await response.json();
if (errorCode !== "0") {
  console.error(`error ${errorCode}: ${errorMessage}`);
  process.exit(1);
}
// Number() takes the documented profile's string and the observed one's number.
console.log(`match=${data.match} matching=${Number(data.matching)} invalidCode=${Number(data.invalidCode)}`);
