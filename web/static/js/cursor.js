// Which notifications this page has had already. Ids grow and come in order, except while a gap is filled.
let last = Number(document.body.dataset.lastId);
let gap = null;

/** The id to be asked for the rest after: everything up to it is here. */
export const lastId = () => last;

/** Whether a notification is new to this page; from then on it is not. */
export function accept(id) {
  if (id <= last || gap?.has(id)) return false;
  if (gap) gap.add(id);
  else last = id;
  return true;
}

/** Some after lastId() are missing and will be read by HTTP: later ones do not move it meanwhile. */
export function openGap() {
  gap ??= new Set();
}

export function closeGap() {
  for (const id of gap ?? []) last = Math.max(last, id);
  gap = null;
}
