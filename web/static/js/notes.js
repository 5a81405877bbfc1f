// What this browser remembers for itself. Where it may not, it forgets: nothing depends on it.
function attempt(act) {
  try {
    return act();
  } catch (error) {
    if (error.name !== "SecurityError" && error.name !== "QuotaExceededError" && !(error instanceof SyntaxError)) throw error;
    return null;
  }
}

export const readNote = (name) => attempt(() => JSON.parse(localStorage.getItem(name)));
export const writeNote = (name, value) => attempt(() => localStorage.setItem(name, JSON.stringify(value)));
export const dropNote = (name) => attempt(() => localStorage.removeItem(name));
