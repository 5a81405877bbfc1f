-- Rows in every table of schema 0001, as the product of that time left them.
INSERT INTO users (id, username, email, full_name, department, position, phone, vpn_end_date, role, is_active, id_redmine_user, redmine_login, can_access_quality_control, browser_notifications_enabled, notifications_widget_enabled, language, theme, time_zone, password_hash, session_epoch, created_at, last_login_at) VALUES
  (1, 'boss', 'boss@example.com', 'Ирина Петрова', 'IT', 'Head', '+7 495 000-00-01', NULL, 'admin', true, 1, 'boss', true, true, true, 'ru', 'auto', 'Europe/Moscow', NULL, 'first', '2026-01-05 08:00:00.000000', '2026-03-01 06:12:13.141516'),
  (2, 'ann', 'ann@example.com', 'Ann O''Neil', 'Support', '', '', '2026-12-31', 'user', true, 5, 'ann', false, true, true, 'en', 'dark', 'UTC', 'scrypt:32768:8:1$salt$hash', '', '2026-01-05 08:01:00.000000', '2026-03-01 07:00:00.000000'),
  (4, 'gone', '', 'Пётр Ушёл', '', '', '', NULL, 'user', false, NULL, '', false, false, false, 'ru', 'light', 'UTC', NULL, '', '2026-01-06 08:00:00.000000', NULL);
INSERT INTO issues (id, subject, project_id, project_name, tracker_id, tracker_name, status_id, status_name, priority_id, priority_name, author_id, author_name, assigned_to_id, assigned_to_name, is_private, parent_id, start_date, due_date, done_ratio, created_on, updated_on, closed_on, attachments, relations, watcher_ids, has_journals, is_hidden, read_at) VALUES
  (7, 'Принтер на третьем этаже не печатает', 1, 'Поддержка', 3, 'Support', 2, 'In Progress', 2, 'Normal', 1, 'Ирина Петрова', 5, 'Ann O''Neil', false, NULL, '2026-02-20', '2026-03-05', 30, '2026-02-20 09:00:00.000000', '2026-03-01 09:30:00.000000', NULL, '{"11": "photo.jpg"}', '{}', '[1, 5]', true, false, '2026-03-01 09:30:02.500000'),
  (8, 'VPN "drops" every hour; 100 % of the time', 1, 'Поддержка', 1, 'Bug', 5, 'Closed', 4, 'Urgent', 5, 'Ann O''Neil', NULL, '', true, 7, NULL, NULL, 100, '2026-02-21 10:00:00.000000', '2026-02-28 18:00:00.000000', '2026-02-28 18:00:00.000000', '{}', '{"3": ["relates", 7]}', '[]', true, false, '2026-02-28 18:00:01.000000'),
  (9, 'Archived', 2, 'Old', 1, 'Bug', 1, 'New', 2, 'Normal', 1, 'Ирина Петрова', 5, 'Ann O''Neil', false, NULL, NULL, NULL, 0, '2025-02-21 10:00:00.000000', '2025-02-28 18:00:00.000000', NULL, '{}', '{}', '[]', false, true, '2026-01-05 08:10:00.000000');
INSERT INTO journals_seen (id, issue_id, created_on) VALUES
  (100, 7, '2026-03-01 09:30:00.000000'), (101, 8, '2026-02-28 18:00:00.000000');
INSERT INTO job_states (name, cursor, interval_s, paused_at, paused_until, pause_reason, failures, last_error, retry_at, lease_owner, lease_until) VALUES
  ('@daemon', NULL, NULL, NULL, NULL, '', 0, '', NULL, 'host:4711', '2026-03-01 09:31:00.000000'),
  ('redmine', '{"high": "2026-03-01T09:30:00Z", "high_seen_at": 1772357401.5, "is_swept": true, "since": null, "baseline_id": 6, "baseline_on": "2026-01-05T08:05:00Z", "next_id": null, "unsettled": {"7": ["2026-03-01T09:30:00Z", 1772357401.5, true]}}', NULL, NULL, NULL, '', 0, '', NULL, '', NULL),
  ('reconcile', '{"sweep": 8, "notes": 0, "people": 5, "reads": 0}', 600.0, '2026-02-27 10:00:00.000000', '2099-01-01 00:00:00.000000', 'Redmine is moved', 2, 'Redmine does not answer', '2026-02-27 10:05:00.000000', '', NULL);
INSERT INTO job_runs (id, job, started_at, finished_at, duration_ms, status, progress_done, progress_total, items, changes, notified, withdrawn, requests, error) VALUES
  (1, 'redmine', '2026-01-05 08:05:00.000000', '2026-01-05 08:05:09.000000', 9000, 'ok', 3, 3, 3, 0, 0, 0, 5, ''),
  (2, 'redmine', '2026-03-01 09:30:01.000000', '2026-03-01 09:30:02.600000', 1600, 'ok', 0, 0, 1, 1, 2, 0, 3, ''),
  (3, 'reconcile', '2026-02-27 09:55:00.000000', '2026-02-27 09:55:30.000000', 30000, 'failed', 0, 0, 0, 0, 0, 0, 1, 'Redmine does not answer'),
  (9, 'redmine', '2026-03-01 09:31:01.000000', NULL, NULL, 'running', 0, 0, 0, 0, 0, 0, 0, '');
DELETE FROM job_runs WHERE id = 9;
INSERT INTO notifications (id, change_key, user_id, type, reasons, title, message, created_at, recorded_at, issue_id, journal_id, subject, project_id, project_name, actor_id, actor_name, details, notes, is_private_note, old_status, new_status, read_at, archived_at, snoozed_until, withdrawn_at, verify_at_show) VALUES
  (1, 'redmine:issue:7', 2, 'new_task', '["assignee"]', 'Новая задача', 'Принтер на третьем этаже', '2026-02-20 09:00:00.000000', '2026-02-20 09:00:03.000000', 7, NULL, 'Принтер на третьем этаже не печатает', 1, 'Поддержка', 1, 'Ирина Петрова', '[]', '', false, NULL, NULL, '2026-02-20 09:10:00.000000', NULL, NULL, NULL, false),
  (2, 'redmine:journal:101', 1, 'status_change', '["author", "watcher"]', 'Issue status changed', 'Issue #8 was moved to status ''Closed''', '2026-02-28 18:00:00.000000', '2026-02-28 18:00:01.000000', 8, 101, 'VPN "drops" every hour; 100 % of the time', 1, 'Поддержка', 5, 'Ann O''Neil', '[{"field": "status", "label": "", "old": "New", "new": "Closed"}]', 'Готово: «работает»', false, 'New', 'Closed', NULL, '2026-02-28 19:00:00.000000', NULL, NULL, false),
  (3, 'redmine:journal:100', 2, 'comment', '["assignee", "mentioned"]', 'New comment', 'Issue #7', '2026-03-01 09:30:00.000000', '2026-03-01 09:30:02.550000', 7, 100, 'Принтер на третьем этаже не печатает', 1, 'Поддержка', 1, 'Ирина Петрова', '[]', 'Посмотрите, @ann', true, NULL, NULL, NULL, NULL, NULL, NULL, true),
  (4, 'redmine:journal:100', 1, 'comment', '["watcher"]', 'New comment', 'Issue #7', '2026-03-01 09:30:00.000000', '2026-03-01 09:30:02.550000', 7, 100, 'Принтер на третьем этаже не печатает', 1, 'Поддержка', 1, 'Ирина Петрова', '[]', '', false, NULL, NULL, NULL, NULL, NULL, '2026-03-01 09:40:00.000000', false),
  (5, 'notice:1', 2, 'info', '[]', 'Notice', 'Of no issue', '2026-03-01 10:00:00.000000', '2026-03-01 10:00:00.000000', NULL, NULL, '', NULL, '', NULL, '', '[]', '', false, NULL, NULL, NULL, NULL, '2026-03-02 08:00:00.000000', NULL, false),
  (6, 'redmine:journal:99', 2, 'status_change', '["assignee"]', 'Issue status changed', 'Issue #7 was moved to status ''In Progress''', '2026-02-25 10:00:00.000000', '2026-02-25 10:00:02.000000', 7, 99, 'Принтер на третьем этаже не печатает', 1, 'Поддержка', 1, 'Ирина Петрова', '[]', '', false, 'New', 'In Progress', NULL, NULL, NULL, NULL, false),
  (40, 'redmine:journal:1', 4, 'comment', '[]', 'Removed since', '', '2026-02-25 10:00:00.000000', '2026-02-25 10:00:02.000000', NULL, NULL, '', NULL, '', NULL, '', '[]', '', false, NULL, NULL, NULL, NULL, NULL, NULL, false);
DELETE FROM notifications WHERE id = 40;
INSERT INTO live_events (id, user_id, event, payload, created_at) VALUES
  (12, 2, 'notifications_read', '{"ids": [1], "unread": 2}', '2026-02-20 09:10:00.000000');
INSERT INTO posts (id, title, content, author_id, date_posted, updated_at) VALUES
  (1, 'Работы в выходные', 'Сервер *будет* недоступен.', 1, '2026-02-10 09:00:00.000000', NULL),
  (2, 'Of nobody', 'Text', NULL, '2026-02-11 09:00:00.000000', '2026-02-11 10:00:00.000000');
INSERT INTO push_subscriptions (id, user_id, endpoint, p256dh, auth, user_agent, created_at, last_success_at, last_error_at, last_error) VALUES
  (3, 2, 'https://fcm.googleapis.com/fcm/send/abc', 'BPk', 'au', 'Mozilla/5.0', '2026-01-10 08:00:00.000000', '2026-02-28 18:00:05.000000', NULL, ''),
  (4, 1, 'https://updates.push.services.mozilla.com/wpush/v2/def', 'BPl', 'av', 'Firefox', '2026-01-11 08:00:00.000000', NULL, '2026-02-01 08:00:00.000000', '410 Gone');
INSERT INTO deliveries (id, notification_id, channel, device, state, attempts, next_attempt_at, claimed_at, claimed_by, sent_at, error) VALUES
  (1, 1, 'webpush', '3', 'sent', 1, '2026-02-20 09:00:03.000000', '2026-02-20 09:00:04.000000', 'host:4711', '2026-02-20 09:00:05.000000', ''),
  (2, 3, 'webpush', '3', 'claimed', 1, '2026-03-01 09:30:03.000000', '2026-03-01 09:30:04.000000', 'host:4711', NULL, ''),
  (3, 3, 'email', '', 'due', 0, '2026-03-01 09:30:03.000000', NULL, '', NULL, ''),
  (4, 2, 'webpush', '4', 'failed', 8, '2026-02-28 18:20:00.000000', NULL, '', NULL, '410 Gone');
INSERT INTO hosts (id, name, address, state, state_since, failures, successes, rtt_ms, checked_at) VALUES
  (1, 'gw-1', '192.0.2.1', 'up', '2026-01-05 08:00:00.000000', 0, 900, 1.25, '2026-03-01 09:30:00.000000'),
  (2, 'srv-2', 'srv-2.example.com', 'down', '2026-03-01 09:00:00.000000', 30, 0, NULL, '2026-03-01 09:30:00.000000');
INSERT INTO host_checks (id, host_id, checked_at, sent, received, rtt_min_ms, rtt_median_ms, rtt_max_ms) VALUES
  (1, 1, '2026-03-01 09:29:00.000000', 5, 5, 1.0, 1.2, 1.9),
  (2, 2, '2026-03-01 09:29:00.000000', 5, 0, NULL, NULL, NULL),
  (3, 1, '2026-03-01 09:30:00.000000', 5, 4, 1.1, 1.25, 2.0),
  (4, 1, '2026-03-01 09:30:00.000000', 5, 5, 1.0, 1.0, 1.0);
