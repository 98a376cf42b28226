// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "daemon/json.h"
#include "daemon/volume-inside.h"

/* What the file system lies on. */
static void volume_source(const struct volume_view *view, char path[static OPENNOTE_NAME_MAX],
			  bool plain)
{
	if (plain)
		memcpy(path, view->node, OPENNOTE_NAME_MAX);
	else
		snprintf(path, OPENNOTE_NAME_MAX, "/dev/mapper/%s", view->mapping);
}

static int transfers_record(void *userdata, const char *kind, struct json_object *extra)
{
	struct volume_life *volume = userdata;

	json_add_string(extra, "volume", volume->view.uuid);
	json_add_string(extra, "node", volume->view.node);
	return volume->ops->record(volume->userdata, &volume->view, kind, extra);
}

void volume_close_unwatched(struct volume_life *volume, const char *detail)
{
	struct volume_view *view = &volume->view;

	SET_TEXT(view->error, "transfers-unwatched");
	SET_TEXT(view->detail, detail);
	volume_record(volume, "volume-refused", view->error);
	volume_clean_up(volume);
}

static void transfers_lost(void *userdata, const char *detail)
{
	struct volume_life *volume = userdata;

	volume->transfers = NULL;
	volume->endings++;
	if (volume->view.state == VOLUME_OPEN)
		volume_close_unwatched(volume, detail);
}

static void transfers_ended(void *userdata)
{
	struct volume_life *volume = userdata;

	volume->endings--;
	volume_release(volume);
}

static const struct transfers_ops transfers_ops = { .record = transfers_record,
						    .lost = transfers_lost,
						    .ended = transfers_ended };

int volume_watch_begin(struct volume_life *volume)
{
	const struct transfers_setup *setup = &volume->setup->transfers;

	volume->watched = transfers_wanted(setup);
	return volume->watched ? transfers_start(&volume->transfers, setup, volume->view.user,
						 volume->view.uid, &transfers_ops, volume) :
				 0;
}

bool volume_watch_stands(struct volume_life *volume)
{
	char source[OPENNOTE_NAME_MAX];

	if (!volume->watched)
		return true;
	volume_source(&volume->view, source, volume_is_plain(volume));
	return volume->transfers &&
	       !transfers_shown(volume->transfers, volume->view.mount, source);
}

void volume_watch_end(struct volume_life *volume)
{
	volume->endings += transfers_end(TAKE_PTR(volume->transfers));
}

int volume_watch_take_up(struct volume_life *volume)
{
	const struct transfers_setup *setup = &volume->setup->transfers;
	const struct volume_view *view = &volume->view;
	char source[OPENNOTE_NAME_MAX];

	volume->watched = transfers_wanted(setup);
	if (!volume->watched)
		return 0;
	volume_source(view, source, volume_is_plain(volume));
	return transfers_take_up(&volume->transfers, setup, view->user, view->uid, view->mount,
				 source, &transfers_ops, volume);
}

void volume_watch_missed(struct volume_life *volume, const struct opennote *note)
{
	const struct transfers_setup *setup = &volume->setup->transfers;

	if (note->open && transfers_wanted(setup))
		volume->endings +=
			transfers_record_gap(setup, note->user, note->uid, &transfers_ops, volume);
}
