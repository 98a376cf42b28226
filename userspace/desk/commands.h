/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The functions behind the rows of commands.c, each in the file of its command. */
#pragma once

#include "desk/command.h"

int init_run(const struct context *context, const struct command_options *options);
int backup_run(const struct context *context, const struct command_options *options);
int restore_run(const struct context *context, const struct command_options *options);
int log_keygen_run(const struct context *context, const struct command_options *options);
int log_verify_run(const struct context *context, const struct command_options *options);
int keys_run(const struct context *context, const struct command_options *options);
int organisation_key_export_run(const struct context *context,
				const struct command_options *options);
int lend_run(const struct context *context, const struct command_options *options);
int return_run(const struct context *context, const struct command_options *options);
int lost_run(const struct context *context, const struct command_options *options);
int found_run(const struct context *context, const struct command_options *options);
int revoke_run(const struct context *context, const struct command_options *options);
int dispose_run(const struct context *context, const struct command_options *options);
int change_run(const struct context *context, const struct command_options *options);
int stocktake_run(const struct context *context, const struct command_options *options);
int list_run(const struct context *context, const struct command_options *options);
int show_run(const struct context *context, const struct command_options *options);
int history_run(const struct context *context, const struct command_options *options);
int import_run(const struct context *context, const struct command_options *options);
int export_run(const struct context *context, const struct command_options *options);
int label_run(const struct context *context, const struct command_options *options);
int policy_sign_run(const struct context *context, const struct command_options *options);
int policy_run(const struct context *context, const struct command_options *options);
int issue_run(const struct context *context, const struct command_options *options);
int enrol_run(const struct context *context, const struct command_options *options);
int wipe_run(const struct context *context, const struct command_options *options);
int inspect_run(const struct context *context, const struct command_options *options);
int recovery_run(const struct context *context, const struct command_options *options);
int terminal_add_run(const struct context *context, const struct command_options *options);
int terminal_list_run(const struct context *context, const struct command_options *options);
int terminal_key_run(const struct context *context, const struct command_options *options);
int terminal_renew_run(const struct context *context, const struct command_options *options);
int terminal_remove_run(const struct context *context, const struct command_options *options);
int answer_run(const struct context *context, const struct command_options *options);
int answer_rules_run(const struct context *context, const struct command_options *options);
int grant_run(const struct context *context, const struct command_options *options);
int grant_keygen_run(const struct context *context, const struct command_options *options);
int grant_list_run(const struct context *context, const struct command_options *options);
int provision_run(const struct context *context, const struct command_options *options);
