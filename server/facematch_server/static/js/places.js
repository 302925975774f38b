// Where in a photo a measure looked, as polygons in pixels of the decoded photo.

/** Polygons that a warning of this measure points at. */
export function placesOf(measure, image) {
  const face = image.faces[0];
  if (!face) return [image.document ?? wholePhoto(image)];
  const place = {
    document: () => [image.document ?? wholePhoto(image)],
    photocopy: () => [image.document ?? wholePhoto(image)],
    text_alteration: () => [image.document ?? wholePhoto(image)],
    portrait_substitution: () => [boxOf(face, 0.15)],
    single_face: () => image.faces.slice(1, 2).map((other) => boxOf(other)),
    sunglasses: () => [region(face, eyesOf(face), [1.05, 0.45])],
    head_covering: () => [region(face, above(face, 1.15), [1.15, 0.6])],
    mask: () => [region(face, mouthOf(face), [1.0, 0.75])],
  }[measure];
  const found = place?.() ?? [];
  return found.length ? found : [boxOf(face)];
}

/** The box of a face, enlarged by a share of its size. */
export function boxOf(face, margin = 0) {
  const [left, top, right, bottom] = face.box;
  const x = margin * (right - left);
  const y = margin * (bottom - top);
  return [[left - x, top - y], [right + x, top - y], [right + x, bottom + y], [left - x, bottom + y]];
}

function wholePhoto({ width, height }) {
  const edge = 0.02 * Math.min(width, height);
  return [[edge, edge], [width - edge, edge], [width - edge, height - edge], [edge, height - edge]];
}

/** Axes of the head: `across` from eye to eye and `down` to the mouth, one eye distance long. */
function axes({ landmarks: [left, right, , mouthLeft] }) {
  const across = [right[0] - left[0], right[1] - left[1]];
  const down = [-across[1], across[0]];
  const toMouth = (mouthLeft[0] - left[0]) * down[0] + (mouthLeft[1] - left[1]) * down[1];
  return { across, down: toMouth < 0 ? [-down[0], -down[1]] : down };
}

const middle = (a, b) => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
const eyesOf = ({ landmarks }) => middle(landmarks[0], landmarks[1]);
const mouthOf = ({ landmarks }) => middle(middle(landmarks[3], landmarks[4]), landmarks[2]);

function above(face, distance) {
  const { down } = axes(face);
  const [x, y] = eyesOf(face);
  return [x - distance * down[0], y - distance * down[1]];
}

/** A rectangle along the head's axes around a point; half its sides in eye distances. */
function region(face, [x, y], [halfWidth, halfHeight]) {
  const { across, down } = axes(face);
  const corner = (a, d) => [
    x + a * halfWidth * across[0] + d * halfHeight * down[0],
    y + a * halfWidth * across[1] + d * halfHeight * down[1],
  ];
  return [corner(-1, -1), corner(1, -1), corner(1, 1), corner(-1, 1)];
}
