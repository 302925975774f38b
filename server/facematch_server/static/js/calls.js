// The same call in four languages, with the address of this service and the names of the chosen files.

/** `[language, code]` pairs. Names are quoted for each language; the key comes from the environment. */
export function callsFor(names, type1, apiPort) {
  const address = new URL("api/v2/ekyc/face_matching", location.href.split("#")[0]);
  if (apiPort) address.port = apiPort;
  address.search = `type1=${type1}&format_type=file`;
  const url = address.href;
  return [["curl", curl(url, names)], ["Python", python(url, names)], ["JavaScript", javascript(url, names)],
    ["PHP", php(url, names)]];
}

function curl(url, names) {
  // Single quotes inside a name end the quoting, are escaped, and start it again. Quotes of curl: `;` and `,` divide.
  const shell = (words) => `'${words.replaceAll("'", "'\\''")}'`;
  const part = (name, index) => `  -F ${shell(`img${index + 1}=@"${name.replace(/["\\]/g, "\\$&")}"`)} \\`;
  return ["curl -u \"$API_KEY:$API_SECRET\" \\", ...names.map(part), `  ${shell(url)}`].join("\n");
}

function python(url, names) {
  const [first, second] = names.map((name) => JSON.stringify(name));
  return `import os
import requests

reply = requests.post(
    ${JSON.stringify(url)},
    files={"img1": open(${first}, "rb"), "img2": open(${second}, "rb")},
    auth=(os.environ["API_KEY"], os.environ["API_SECRET"]),
    timeout=60,
).json()
print(reply["data"] or reply["errorMessage"])`;
}

function javascript(url, names) {
  const [first, second] = names.map((name) => JSON.stringify(name));
  return `import { openAsBlob } from "node:fs";

const body = new FormData();
body.append("img1", await openAsBlob(${first}));
body.append("img2", await openAsBlob(${second}));
const login = btoa(\`\${process.env.API_KEY}:\${process.env.API_SECRET}\`);
const response = await fetch(${JSON.stringify(url)}, {
  method: "POST", body, headers: { Authorization: \`Basic \${login}\` },
});
const reply = await response.json();
console.log(reply.data ?? reply.errorMessage);`;
}

function php(url, names) {
  const quoted = (words) => `'${words.replace(/['\\]/g, "\\$&")}'`;
  const [first, second] = names.map(quoted);
  return `<?php
$call = curl_init(${quoted(url)});
curl_setopt_array($call, [
    CURLOPT_USERPWD => getenv('API_KEY') . ':' . getenv('API_SECRET'),
    CURLOPT_POSTFIELDS => ['img1' => new CURLFile(${first}), 'img2' => new CURLFile(${second})],
    CURLOPT_RETURNTRANSFER => true,
]);
$reply = json_decode(curl_exec($call), true);
print_r($reply['data'] ?? $reply['errorMessage']);`;
}
