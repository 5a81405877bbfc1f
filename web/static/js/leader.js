// Of all tabs of one person in a browser one does what must happen once. Web Locks choose it: the lock goes on
// to the next tab the moment its holder is closed, however that happens.
const { userId } = document.body.dataset;
const held = new Set();

/** Stand for `office` from now on. Without Web Locks (no https) every tab holds it; see `claim`. */
export function stand(office) {
  if (!navigator.locks) {
    held.add(office);
    return;
  }
  navigator.locks.request(`helpdesk-${office}-${userId}`, () => {
    held.add(office);
    document.dispatchEvent(new CustomEvent("leader-changed", { detail: office }));
    return new Promise(() => {}); // until the tab goes
  });
}

export const leads = (office) => held.has(office);

/** Whether some tab, this or another, holds the office. */
export async function isTaken(office) {
  if (!navigator.locks) return held.has(office);
  const { held: locks } = await navigator.locks.query();
  return locks.some(({ name }) => name === `helpdesk-${office}-${userId}`);
}

/** Whether nobody did this yet. Only needed without Web Locks, where the first to say so does it. */
export function claim(office, id) {
  if (navigator.locks) return true;
  const name = `${office}-${userId}`;
  if (Number(localStorage.getItem(name) ?? 0) >= id) return false;
  localStorage.setItem(name, String(id));
  return true;
}
