/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside of the session, shared by
 *
 *   session.c          its life: begin, judge, allow, deny, revoke     session-gate.c    what the gate tells
 *   session-inspect.c  proving, and waiting for a medium               session-disks.c   the disks of what was released
 *   session-rejudge.c  the world has changed                           session-volumes.c what can be opened on them
 *   session-grant.c    let in by a temporary exception                session-drill.c    what a drill does instead
 */
#pragma once

#include "daemon/session.h"
#include "daemon/verdict.h"

/* The interface of this cookie, or NULL. */
struct device_interface *session_interface(struct session *session, uint64_t cookie);

/* Is some interface in this state? */
bool session_any(const struct session *session, enum device_interface_state state);

/* Is it allowed by the verdict that stands? */
bool interface_allowed(const struct device_interface *intf);

/*
 * Is it to be let in: by that verdict, or because a drill lets in all of the device, but for what is harmless or in use and needs no
 * verdict?
 */
bool session_lets_in(const struct session *session, const struct device_interface *intf);

/* Has the gate take one interface back. */
void interface_revoke(struct session *session, const struct device_interface *intf);

/* Has everything that is allowed been released? And what follows then. */
bool session_all_released(const struct session *session);
void session_released(struct session *session);

/* There is no verdict any more. */
void session_clear_verdict(struct device *device);

/* Others may be waiting for what becomes of this one. */
void session_tell_others(struct session *session);

/* All interfaces are known: says what is there, and judges it from the start. */
void session_begin(struct session *session);

/* Judges, with what an inspection found (NULL before one), and acts on it. */
void session_judge(struct session *session, const struct report *report);

/* Has the gate open the interface that needs a proof. */
void session_prove(struct session *session, const struct verdict *verdict);

/* The gate has opened it: starts the inspection. */
void session_inspect(struct session *session);

/* Sends what verdict_write() has put into the device: records, then releases, and shuts the rest. */
void session_allow(struct session *session);

/*
 * Before it is let in as the verdict says that verdict_write() has put into the device: takes the use of the grant, if it is one that
 * lets it in and its use is not taken. Where it is in already, its release is noted anew with that use, so that a restart takes no
 * second one. NULL, or why it may not: a reason code, and a detail.
 */
const char *session_take_use(struct session *session, const char **detail);

/* It has gone: what was written to it is told, and its use is over. */
void session_leave_grant(struct session *session);

/* Counts what is written, or no more, as the verdict says. Negative errno: it may not stay in. */
int session_meter_start(struct session *session);

/* The same, and takes it back where it may not stay. */
void session_watch_writes(struct session *session);

/* … or not as long as it says: what was written is told, and the next release begins anew. */
void session_meter_stop(struct session *session);

/* A release goes on of which an earlier daemon has told so many bytes (or was not to tell them). */
void session_meter_reset(struct session *session, uint64_t told);

/* It has been inspected: erasures that are owed are confirmed if nothing is on it. */
void session_see_blank(struct session *session);

/* This disk has gone; the next of its name is another. */
void session_meter_forget(struct session *session, const char *disk);

/* The same where the device as a whole is blocked; harmless interfaces of it are let in. */
void session_block(struct session *session, const struct verdict *verdict);

/* Settles on a no for all of it. The reason must not be the device's own field. `detail` may be NULL. */
void session_deny(struct session *session, const char *reason, const char *detail);

/*
 * The same in a drill: recorded, and let in, all of it, for any driver. What cannot be recorded or carried out is denied. The reason
 * must not be the device's own field. `detail` may be NULL.
 */
void session_would_deny(struct session *session, const char *reason, const char *detail);

/* In a drill, in place of session_revoke(): it stays in, and why it would not is recorded. */
void session_would_revoke(struct session *session, const char *why);

/* In a drill, of an allowed device: what of it would be denied. Negative errno: it could not be recorded. */
int session_record_rest(struct session *session);

/* In a drill, of a device that was let in before this daemon: judged as far as it can be, and left in. */
void session_resume_drill(struct session *session, bool ours);

/* The world has changed, in a drill: nothing is taken back. */
void session_rejudge_drill(struct session *session, const struct verdict *verdict, const char *why);

/* Is it let in for reading only? In a drill that is only said. */
bool session_reads_only(const struct session *session);

/* Lists the disks that there are, by name: nothing is done to them yet. */
void session_list_disks(struct session *session);

/* Its disks have gone or are to be looked at anew: stops what is under way. */
void session_forget_disks(struct session *session);

/* The disk is the one that was inspected (or nothing was to be proved): its volumes can be opened. */
void session_offer_volumes(struct session *session, const struct session_disk *disk);

/* It has shown two faces: recorded, and taken back for good. */
void session_tamper(struct session *session, const struct session_disk *disk);

/* Closes by force what is open of a unit's volumes: its medium is another, or may be. */
void session_shut_volumes(struct session *session, uint8_t unit);

/* Closes its volumes by force, for a short while, and then has the gate take back what is not allowed. */
void session_close_volumes(struct session *session);

/* It has gone: its volumes close behind it. */
void session_drop_volumes(struct session *session);

/* Denied for want of a medium: looks again every few seconds. */
void session_wait_for_medium(struct session *session);

/* Released for that purpose: inspects the disks as they appear, and judges when no more come. */
void session_inspect_blocks(struct session *session);

/* The end of an inspection, however it ended: judged by what it says of the storage. */
void session_reported(struct session *session, const struct report *report, const char *detail);

/* Puts back whatever was opened for inspection and is not allowed. */
void session_shut(struct session *session);

/* Revokes what is released and not allowed. One whose release is on its way follows with its event. */
void session_take_back(struct session *session);

/* Keeps a copy of what was found; without memory it is as if nothing had been. */
void session_keep_report(struct session *session, const struct report *report);
