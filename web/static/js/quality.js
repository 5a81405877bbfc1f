// Other days are counted as soon as they are chosen.
const form = document.getElementById("quality-form");
form?.addEventListener("change", () => form.checkValidity() && form.requestSubmit());
