// The filters of the list are sent as soon as something is chosen, without what is not.
const form = document.getElementById("filters");

form?.addEventListener("change", ({ target }) => {
  if (target.name === "sort") form.elements.namedItem("order")?.remove();
  if (target.name !== "q") form.requestSubmit();
});

form?.addEventListener("submit", () => {
  for (const field of form.elements) if (field.value === "") field.disabled = true;
});

// The browser brings a page back as it was left: with fields that could not be sent again.
window.addEventListener("pageshow", () => {
  for (const field of form?.elements ?? []) field.disabled = false;
});
