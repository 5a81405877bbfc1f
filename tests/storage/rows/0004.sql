-- Rows in the table that came with schema 0004; they go on from those of 0003.
INSERT INTO notification_words (user_id, notification_id, words) VALUES (2, 1, 'printer'), (1, 2, 'closed');
INSERT INTO host_maintenance (id, begins_at, ends_at, note, by_name, host_id, group_name, with_behind) VALUES
  (2, '2026-03-08 20:00:00.000000', '2026-03-08 22:00:00.000000', 'New cables', 'boss', 1, NULL, true);
