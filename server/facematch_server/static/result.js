// The result section: percent on its scale, verdict, measures, the exact wire reply, the call as curl.
import { language, text } from "./language.js";
import { MEASURES_VI, WARNINGS_VI } from "./texts.js";

const $ = (selector) => document.querySelector(selector);
const VERDICTS = { 1: "MATCH", 0: "UNSURE", "-1": "NO_MATCH" };

export function showResult(reply, curl) {
  $("#percent").textContent = `${reply.percent.toFixed(2)} %`;
  $("#verdict").textContent = reply.cosine === null ? text("nothing") : text(VERDICTS[reply.match]);
  $("#needle").style.left = `${reply.percent}%`;
  $("#scale").setAttribute("aria-label", text("scaleLabel").replace("{p}", reply.percent.toFixed(2)));
  $("#warning").textContent = reply.warnings.length
    ? text("warnings") + reply.warnings.map(nameWarning).join("; ")
    : text("noWarnings");
  $("#uncalibrated").hidden = reply.calibrated;
  $("#measures tbody").replaceChildren(...reply.findings.map(measureRow));
  const profile = $("#tab-observed").getAttribute("aria-selected") === "true" ? "observed" : "documented";
  $("#wire").textContent = shorten(reply.wire[profile]);
  $("#curl").textContent = curl;
  $("#versions").textContent = `${reply.pack} · ${reply.calibration} · policy ${reply.policy} · `
    + `${(1000 * (reply.timings.total ?? 0)).toFixed(0)} ms · ${reply.request_id}`;
  $("#result").hidden = false;
}

export function curlFor(photos, type1) {
  // Single quotes inside a name end the quoting, are escaped, and start it again.
  const quote = (name) => `'${name.replaceAll("'", "'\\''")}'`;
  const part = (number) => `  -F ${quote(`img${number}=@${photos[number]?.name ?? `photo${number}.jpg`}`)}`;
  const address = new URL("api/v2/ekyc/face_matching", location.href.split("#")[0]);
  address.search = `type1=${type1}&format_type=file`;
  return ["curl -u \"$API_KEY:$API_SECRET\" \\", `${part(1)} \\`, `${part(2)} \\`, `  '${address}'`].join("\n");
}

function nameWarning({ code, message }) {
  return language() === "vi" ? `${code} ${WARNINGS_VI[code]}` : `${code} ${message}`;
}

function measureRow(finding) {
  const row = document.createElement("tr");
  row.className = finding.outcome;
  const value = finding.value === null ? finding.reason : `${number(finding.value)} ${unit(finding.unit)}`;
  const cells = [
    [String(finding.image), ""],
    [`${measureName(finding.name)} (${finding.code})`, "name"],
    [value, finding.value === null ? "" : "number"],
    [threshold(finding), "number allowed"],
    [text(finding.outcome), "dot"],
  ];
  row.replaceChildren(...cells.map(([words, style]) => {
    const cell = document.createElement("td");
    cell.textContent = words;
    cell.className = style;
    return cell;
  }));
  return row;
}

function measureName(name) {
  return (language() === "vi" && MEASURES_VI[name]) || name.replaceAll("_", " ");
}

function threshold({ minimum, maximum, unit: name }) {
  const parts = [];
  if (minimum !== null) parts.push(`${text("atLeast")} ${number(minimum)}`);
  if (maximum !== null) parts.push(`${text("atMost")} ${number(maximum)}`);
  return `${parts.join(", ")} ${unit(name)}`.trim();
}

function number(value) {
  return Number(value).toLocaleString(language(), { maximumFractionDigits: Math.abs(value) < 10 ? 3 : 1 });
}

function unit(name) {
  return name === "1" ? "" : name;
}

// The face crops are thousands of characters; their beginning and length say enough here.
function shorten(wire) {
  return wire.replace(/"(face[12])":\s?"([^"]{40})([^"]*)"/g, (_, key, head, rest) =>
    `"${key}": "${head}… (${head.length + rest.length} characters)"`);
}
