// One still from the camera. Browsers allow it on https and on localhost only.

export async function openCamera(dialog) {
  if (!navigator.mediaDevices) throw new DOMException("needs https", "SecurityError");
  const stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1920 } } });
  const video = dialog.querySelector("video");
  const shoot = dialog.querySelector("#shoot");
  shoot.disabled = true;
  video.onloadeddata = () => { shoot.disabled = false; }; // before, a still would be empty
  video.srcObject = stream;
  dialog.showModal();
  try {
    return await new Promise((resolve) => {
      shoot.onclick = () => {
        const canvas = document.createElement("canvas");
        canvas.width = video.videoWidth;
        canvas.height = video.videoHeight;
        canvas.getContext("2d").drawImage(video, 0, 0);
        canvas.toBlob(resolve, "image/jpeg", 0.95);
      };
      dialog.querySelector("#camera-close").onclick = () => resolve(null);
      dialog.onclose = () => resolve(null);
    });
  } finally {
    for (const track of stream.getTracks()) track.stop();
    dialog.close();
  }
}
