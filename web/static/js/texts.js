// The page's words for scripts, in its language: data attributes of <template id="texts">.
export const language = document.documentElement.lang || "en";

const words = document.getElementById("texts")?.dataset ?? {};
const rules = new Intl.PluralRules(language);

export const text = (name) => words[name] ?? "";

/** "3 new notifications": the form of `name` that fits `count`. */
export function plural(name, count, from = words) {
  const form = rules.select(count);
  const key = name + form[0].toUpperCase() + form.slice(1);
  return (from[key] ?? "").replace("{n}", new Intl.NumberFormat(language).format(count));
}
