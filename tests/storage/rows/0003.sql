-- Rows in the tables that came with schema 0003; they go on from those of 0002.
INSERT INTO audit_entries (id, actor, act, subject, at, user_id, before, after) VALUES
  (1, 'boss', 'job.pause', 'job:reconcile', '2026-02-27 10:00:00.000000', 1, '{"paused": false}', '{"paused": true}');
INSERT INTO channel_states (name, public_key, problem, problem_at, last_success_at) VALUES
  ('webpush', 'BKey', '', NULL, '2026-03-01 09:30:05.000000');
INSERT INTO erp_people (name, full_name, email, office, department, position, phone, vpn_end_date, is_blocked, version, vpn_told, gone_at) VALUES
  ('ann', 'Ann O''Neil', 'ann@example.com', 'Office 1', 'Support', '', '', '2026-12-31', false, 3, 'erp:ann:vpn:2026-12-31:7', NULL);
INSERT INTO job_gaps (id, job, began_at, ended_at, caught_up_at, reason) VALUES
  (1, 'redmine', '2026-02-01 10:00:00.000000', '2026-02-01 10:10:00.000000', '2026-02-01 10:10:05.000000', 'Redmine does not answer');
INSERT INTO issue_mutes (user_id, issue_id, created_at) VALUES (2, 8, '2026-02-28 10:00:00.000000');
INSERT INTO host_acknowledgements (host_id, note, by_name, at, until) VALUES
  (2, 'Disk is on its way', 'boss', '2026-03-01 09:05:00.000000', '2026-03-02 09:05:00.000000');
INSERT INTO host_maintenance (id, begins_at, ends_at, note, by_name, host_id, group_name) VALUES
  (1, '2026-03-07 20:00:00.000000', '2026-03-07 22:00:00.000000', 'New firmware', 'boss', 1, NULL);
INSERT INTO host_outages (host_id, started_at, state, ended_at, reason) VALUES
  (2, '2026-03-01 09:00:00.000000', 'down', NULL, 'no answer');
