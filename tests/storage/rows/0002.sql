-- Rows in the tables that came with schema 0002; they go on from those of 0001.
INSERT INTO groups (id, name) VALUES (20, 'Первая линия');
INSERT INTO group_members (group_id, account_id) VALUES (20, 1), (20, 5);
INSERT INTO statuses (id, name, is_closed, position) VALUES (1, 'New', false, 1), (2, 'In Progress', false, 2), (5, 'Closed', true, 3);
INSERT INTO priorities (id, name, is_default, is_active, position) VALUES (2, 'Normal', true, true, 1), (4, 'Urgent', false, true, 2);
INSERT INTO sign_ins (device, user_id, user_agent, address, created_at, seen_at) VALUES
  ('device-of-ann', 2, 'Mozilla/5.0', '192.0.2.10', '2026-02-28 08:00:00.000000', '2026-03-01 07:00:00.000000');
INSERT INTO post_reads (post_id, user_id, read_at) VALUES (1, 2, '2026-02-10 09:30:00.000000');
INSERT INTO task_rights (user_id, project_id, tracker_id, assigned_to_id, is_private, is_shown, checked_at) VALUES
  (2, 1, 3, 5, false, true, '2026-03-01 09:30:00.000000');
INSERT INTO viewings (connection, issue_id, user_id, seen_at) VALUES ('c0ffee', 7, 2, '2026-03-01 09:30:00.000000');
