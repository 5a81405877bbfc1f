// A choice takes effect at once; what was left empty stays out of the address.
const form = document.getElementById("filter");

form.addEventListener("change", (event) => event.target.matches("select") && form.requestSubmit());
form.addEventListener("submit", () => {
  for (const field of form.elements) if (field.name && !field.value) field.disabled = true;
});
// Back from there: the browser may show this page as it was left.
addEventListener("pageshow", () => {
  for (const field of form.elements) field.disabled = false;
});
