// The page of a task: starts its behaviours.
import "./task_edit.js";
import "./task_files.js";
import "./task_live.js";
import "./task_note.js";
import "./mute.js";
