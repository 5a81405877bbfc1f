// The log-in form: show what is typed, send it once, tell the browser's time zone.
const form = document.getElementById("login");

if (form) {
  const button = document.getElementById("show-password");
  const field = document.getElementById("password");
  form.elements.time_zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
  button.addEventListener("click", () => {
    const shown = field.type === "password";
    field.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", String(shown));
    field.focus();
  });
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "true";
    field.type = "password"; // else browsers would offer to store it as plain text
  });
  window.addEventListener("pageshow", () => delete form.dataset.sent);
}
