// Which part of the inbox this page shows, as its address says; null on other pages.
const frame = document.getElementById("inbox");

export const view = frame && {
  name: frame.dataset.view,
  filter: JSON.parse(frame.dataset.filter),
  isUnread: frame.dataset.unreadOnly === "true",
  showsNewest: frame.dataset.page === "1",
  perPage: Number(frame.dataset.perPage),
};

/** The query of the API for this part. */
export function query(more = {}) {
  return new URLSearchParams({ ...view?.filter, html: "1", ...more }).toString();
}

/** Whether what has just come belongs into this list; a search is left to the server. */
export function fits(item) {
  if (!view?.showsNewest || view.name !== "inbox" || view.filter.q) return false;
  const { type, reason, project } = view.filter;
  if (type && item.type !== type) return false;
  if (reason && !item.reasons.includes(reason)) return false;
  if (project && item.project?.id !== Number(project)) return false;
  return !item.is_archived && !(view.isUnread && item.is_read);
}

/** Whether an act takes a card out of this list. */
export function leaves(act) {
  const out = {
    inbox: ["archive", "snooze"],
    archived: ["unarchive", "snooze"],
    snoozed: ["unsnooze", "archive"],
    starred: ["unstar"],
  };
  return out[view.name].includes(act);
}
