// One file on its way: XMLHttpRequest, as fetch does not tell how far it is.

/** Send a file; the answer's JSON, {} where there was none. `onProgress` gets 0 to 1. */
export function upload(address, file, signal, onProgress) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("POST", address);
    request.responseType = "json";
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRFToken", document.body.dataset.csrfToken);
    request.upload.addEventListener("progress", (event) => event.lengthComputable && onProgress(event.loaded / event.total));
    request.addEventListener("loadend", () => {
      if (request.status === 401) document.dispatchEvent(new Event("signed-out"));
      resolve(request.response ?? {});
    });
    signal.addEventListener("abort", () => request.abort());
    const form = new FormData();
    form.append("files", file, file.name);
    request.send(form);
  });
}
