// A photo on its canvas, with what the service found in it.
const LONGEST = 1200; // the canvas needs no more pixels than a screen shows

export async function loadPhoto(file) {
  try {
    return await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    return null;
  }
}

export function drawPhoto(canvas, bitmap, image) {
  const scale = Math.min(1, LONGEST / Math.max(bitmap.width, bitmap.height));
  canvas.width = Math.round(bitmap.width * scale);
  canvas.height = Math.round(bitmap.height * scale);
  const pen = canvas.getContext("2d");
  pen.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  canvas.hidden = false;
  if (!image) return;
  // The service may have decoded the photo smaller: its pixels to the canvas's.
  const x = canvas.width / image.width;
  const y = canvas.height / image.height;
  const line = Math.max(2, canvas.width / 250);
  image.faces.forEach((face, index) => {
    const [left, top, right, bottom] = face.box;
    pen.lineWidth = line;
    pen.strokeStyle = index === 0 ? "#22c55e" : "#f59e0b";
    pen.setLineDash(index === 0 ? [] : [3 * line, 2 * line]);
    pen.strokeRect(left * x, top * y, (right - left) * x, (bottom - top) * y);
    pen.setLineDash([]);
    pen.fillStyle = pen.strokeStyle;
    for (const [px, py] of face.landmarks) {
      pen.beginPath();
      pen.arc(px * x, py * y, line * 1.2, 0, 2 * Math.PI);
      pen.fill();
    }
  });
}
