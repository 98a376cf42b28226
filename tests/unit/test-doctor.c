// SPDX-License-Identifier: GPL-2.0-or-later
/* The self-check's readers of hostile bytes, and how findings add up. */
#include <elf.h>
#include <fcntl.h>
#include <lzma.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <zlib.h>
#include <zstd.h>

#include "doctor/buildid.h"
#include "doctor/doctor.h"
#include "doctor/initrd.h"
#include "doctor/manifest.h"
#include "testing.h"

/* --- the manifest ----------------------------------------------------------------------------- */

#define HEX64 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define TITLE "# sekimori-manifest 1\n"
#define ONE TITLE "# 0755 program /usr/sbin/sekimorid\n" HEX64 "  /usr/sbin/sekimorid\n"

static int parse(const char *text, size_t len, struct manifest *manifest)
{
	/* Exactly the bytes, so that a sanitizer sees a look behind them. */
	_cleanup_(freep) char *copy = malloc(len ? len : 1);
	unsigned int line;

	memcpy(copy, text, len);
	return manifest_parse(manifest, copy, len, &line);
}

static void manifest_gives_path_mode_kind_and_digest(void)
{
	static const char text[] = ONE "# 0644 conf /etc/sekimori/sekimorid.conf\n" HEX64
				       "  /etc/sekimori/sekimorid.conf\n";
	struct manifest manifest;

	CU_ASSERT_EQUAL_FATAL(parse(text, sizeof(text) - 1, &manifest), 0);
	CU_ASSERT_EQUAL_FATAL(manifest.n, 2);
	CU_ASSERT_STRING_EQUAL(manifest.files[0].path, "/usr/sbin/sekimorid");
	CU_ASSERT_EQUAL(manifest.files[0].mode, 0755);
	CU_ASSERT_FALSE(manifest.files[0].conf);
	CU_ASSERT_EQUAL(manifest.files[0].digest[1], 0x11);
	CU_ASSERT_EQUAL(manifest.files[0].digest[31], 0xff);
	CU_ASSERT_TRUE(manifest.files[1].conf);
	CU_ASSERT_EQUAL(manifest.files[1].mode, 0644);
	manifest_free(&manifest);
}

static void manifest_with_any_error_is_refused_as_a_whole(void)
{
	static const struct {
		const char *text;
		unsigned int line;
	} rows[] = {
		{"", 1},
		{TITLE, 1},
		{"# sekimori-manifest 2\n", 1},
		{ONE "junk\n", 4},
		{ONE "# 0755 program /usr/bin/x\n", 5},
		{TITLE "# 0755 program /usr/sbin/sekimorid\n" HEX64 "  /usr/sbin/other\n", 3},
		{TITLE "# 0755 program /usr/sbin/sekimorid\n" HEX64 " /usr/sbin/sekimorid\n", 3},
		{TITLE "# 0855 program /usr/x\n" HEX64 "  /usr/x\n", 2},
		{TITLE "# 0755 device /usr/x\n" HEX64 "  /usr/x\n", 2},
		{TITLE "# 0755 program usr/x\n" HEX64 "  usr/x\n", 2},
		{TITLE "# 0755 program /usr/../etc/shadow\n" HEX64 "  /usr/../etc/shadow\n", 2},
		{TITLE "# 0755 program /usr/..\n" HEX64 "  /usr/..\n", 2},
		{TITLE "# 0755 program /usr//x\n" HEX64 "  /usr//x\n", 2},
		{TITLE "# 0755 program /a b\n" HEX64 "  /a b\n", 2},
		{TITLE "# 0755 program /\x1b[2J\n" HEX64 "  /\x1b[2J\n", 2},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct manifest manifest;
		unsigned int line = 0;

		EXPECT(manifest_parse(&manifest, rows[i].text, strlen(rows[i].text), &line) ==
			       -EBADMSG,
		       rows[i].text);
		EXPECT(!manifest.files && !manifest.n, rows[i].text);
		EXPECT(!rows[i].line || line == rows[i].line || i < 2, rows[i].text);
	}
}

/* A cut one is never taken for a whole one: a file that is not named is not checked. */
static void cut_manifest_is_refused(void)
{
	size_t len = strlen(ONE);

	/* The last byte is a newline, which may be missing. */
	for (size_t n = 0; n + 1 < len; n++) {
		struct manifest manifest;

		CU_ASSERT_EQUAL(parse(ONE, n, &manifest), -EBADMSG);
	}
}

/* --- cpio ------------------------------------------------------------------------------------- */

struct archive {
	uint8_t bytes[8192];
	size_t len;
};

static void archive_add(struct archive *archive, const char *name, const void *data, size_t len)
{
	char header[CPIO_HEADER_LEN + 1];

	snprintf(header, sizeof(header),
		 "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", 1, 0100644, 0, 0, 1,
		 0, (unsigned int)len, 0, 0, 0, 0, (unsigned int)strlen(name) + 1, 0);
	memcpy(archive->bytes + archive->len, header, CPIO_HEADER_LEN);
	archive->len += CPIO_HEADER_LEN;
	memcpy(archive->bytes + archive->len, name, strlen(name) + 1);
	archive->len += strlen(name) + 1;
	while (archive->len % 4)
		archive->bytes[archive->len++] = 0;
	memcpy(archive->bytes + archive->len, data, len);
	archive->len += len;
	while (archive->len % 4)
		archive->bytes[archive->len++] = 0;
}

static void archive_make(struct archive *archive)
{
	memset(archive, 0, sizeof(*archive));
	/* A name inside of the data must not be found. */
	archive_add(archive, "init", "070701 sekimori.ko", 18);
	archive_add(archive, "usr/lib/modules/6.1/updates/sekimori.ko",
		    "\x7f"
		    "ELF",
		    4);
	archive_add(archive, "empty", "", 0);
	archive_add(archive, "TRAILER!!!", "", 0);
}

struct names {
	char text[16384];
};

static bool take_name(void *userdata, const char *name)
{
	struct names *names = userdata;
	size_t used = strlen(names->text);

	snprintf(names->text + used, sizeof(names->text) - used, "%s;", name);
	/* The contents of the other files are not wanted. */
	return strcmp(name, "init");
}

static void take_contents(void *userdata, const void *data, size_t len)
{
	struct names *names = userdata;
	size_t used = strlen(names->text);

	snprintf(names->text + used, sizeof(names->text) - used, "<%.*s>", (int)len,
		 (const char *)data);
}

#define NAMES "init;usr/lib/modules/6.1/updates/sekimori.ko;empty;"

static void cpio_gives_the_same_names_in_any_pieces(void)
{
	struct archive archive;

	archive_make(&archive);
	for (size_t step = 1; step <= archive.len; step += step < 150 ? 1 : 37) {
		struct names names = {""};
		struct cpio cpio;
		size_t pos = 0;

		cpio_init(&cpio, take_name, NULL, &names);
		while (pos < archive.len && cpio.state != CPIO_END && cpio.state != CPIO_BAD) {
			size_t n = archive.len - pos < step ? archive.len - pos : step;

			pos += cpio_feed(&cpio, archive.bytes + pos, n);
		}
		CU_ASSERT_EQUAL(cpio.state, CPIO_END);
		CU_ASSERT_STRING_EQUAL(names.text, NAMES);
	}
}

static void cpio_gives_what_was_wanted_and_no_more(void)
{
	struct archive archive = {.len = 0};
	struct names names = {""};
	struct cpio cpio;

	archive_add(&archive, "init", "not this", 8);
	archive_add(&archive, "none", "", 0);
	archive_add(&archive, "three", "abc", 3);
	archive_add(&archive, "five", "defgh", 5);
	archive_add(&archive, "TRAILER!!!", "", 0);
	cpio_init(&cpio, take_name, take_contents, &names);
	cpio_feed(&cpio, archive.bytes, archive.len);
	CU_ASSERT_EQUAL(cpio.state, CPIO_END);
	CU_ASSERT_STRING_EQUAL(names.text, "init;none;three;<abc>five;<defgh>");

	names.text[0] = '\0';
	cpio_init(&cpio, take_name, take_contents, &names);
	for (size_t i = 0; i < archive.len; i++)
		cpio_feed(&cpio, archive.bytes + i, 1);
	CU_ASSERT_EQUAL(cpio.state, CPIO_END);
	CU_ASSERT_STRING_EQUAL(names.text, "init;none;three;<a><b><c>five;<d><e><f><g><h>");
}

/* What was cut or changed is never taken for a whole initramfs without the module. */
static void cut_initramfs_is_damaged(void)
{
	struct archive archive;

	archive_make(&archive);
	for (size_t n = 0; n < archive.len; n++) {
		_cleanup_(freep) uint8_t *copy = malloc(n ? n : 1);
		struct names names = {""};

		memcpy(copy, archive.bytes, n);
		/* Behind the trailer's name there is padding only. */
		if (initrd_read(copy, n, take_name, NULL, &names) != INITRD_E_DAMAGED)
			CU_ASSERT(n >= archive.len - 3);
	}
}

static void changed_headers_never_lead_outside(void)
{
	struct archive archive;

	archive_make(&archive);
	for (size_t i = 0; i < archive.len; i++)
		for (int bit = 0; bit < 8; bit++) {
			_cleanup_(freep) uint8_t *copy = malloc(archive.len);
			struct names names = {""};
			int r;

			memcpy(copy, archive.bytes, archive.len);
			copy[i] ^= (uint8_t)(1 << bit);
			r = initrd_read(copy, archive.len, take_name, NULL, &names);
			CU_ASSERT(r >= 0 && r <= INITRD_E_LARGE);
		}
}

static size_t pack_gzip(uint8_t *out, size_t size, const struct archive *archive)
{
	z_stream z = {.next_in = (Bytef *)archive->bytes,
		      .avail_in = (uInt)archive->len,
		      .next_out = out,
		      .avail_out = (uInt)size};

	CU_ASSERT_EQUAL_FATAL(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY),
			      Z_OK);
	CU_ASSERT_EQUAL_FATAL(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return size - z.avail_out;
}

static size_t pack_xz(uint8_t *out, size_t size, const struct archive *archive)
{
	size_t used = 0;

	CU_ASSERT_EQUAL_FATAL(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, NULL, archive->bytes,
						      archive->len, out, &used, size),
			      LZMA_OK);
	return used;
}

static size_t pack_zstd(uint8_t *out, size_t size, const struct archive *archive)
{
	return ZSTD_compress(out, size, archive->bytes, archive->len, 3);
}

static size_t pack_not(uint8_t *out, size_t size, const struct archive *archive)
{
	memcpy(out, archive->bytes, archive->len);
	return archive->len;
}

/* As mkinitramfs makes them: microcode in the clear, zeros up to a block, the rest packed. */
static void second_archive_is_found_in_every_compression(void)
{
	static const struct {
		const char *name;
		size_t (*pack)(uint8_t *out, size_t size, const struct archive *archive);
	} rows[] = {{"plain", pack_not}, {"gzip", pack_gzip}, {"xz", pack_xz}, {"zstd", pack_zstd}};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t image[32768] = {0};
		struct archive first = {.len = 0}, second;
		struct names names = {""};
		size_t packed, at;

		archive_add(&first, "kernel/x86/microcode", "x", 1);
		archive_add(&first, "TRAILER!!!", "", 0);
		memcpy(image, first.bytes, first.len);
		at = (first.len + 511) / 512 * 512;
		archive_make(&second);
		packed = rows[i].pack(image + at, sizeof(image) - at, &second);
		EXPECT(initrd_read(image, at + packed, take_name, NULL, &names) == 0, rows[i].name);
		EXPECT(!strcmp(names.text, "kernel/x86/microcode;" NAMES), rows[i].name);
		/* Cut anywhere inside of the packed part. */
		for (size_t n = at + 1; n < at + packed && rows[i].pack != pack_not; n++) {
			names.text[0] = '\0';
			EXPECT(initrd_read(image, n, take_name, NULL, &names) == INITRD_E_DAMAGED,
			       rows[i].name);
		}
	}
	CU_ASSERT_EQUAL(initrd_read((const uint8_t *)"\x02\x21\x4c\x18rest", 8, take_name, NULL, NULL),
			INITRD_E_COMPRESSION);
	CU_ASSERT_EQUAL(initrd_read((const uint8_t *)"\0\0\0\0", 4, take_name, NULL, NULL),
			INITRD_E_DAMAGED);
}

/* --- build ids -------------------------------------------------------------------------------- */

#define NOTE_AT 64
#define SECTIONS_AT 128

static void elf_make(uint8_t elf[static 512], size_t *len)
{
	static const uint8_t note[] = {4,  0,  0,  0,   20,  0,   0,  0,  NT_GNU_BUILD_ID,
				       0,  0,  0,  'G', 'N', 'U', 0,  1,  2,
				       3,  4,  5,  6,   7,   8,   9,  10, 11,
				       12, 13, 14, 15,  16,  17,  18, 19, 20};
	Elf64_Ehdr header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB},
			     .e_shoff = SECTIONS_AT,
			     .e_shentsize = sizeof(Elf64_Shdr),
			     .e_shnum = 2};
	Elf64_Shdr section = {.sh_type = SHT_NOTE, .sh_offset = NOTE_AT, .sh_size = sizeof(note)};

	memset(elf, 0, 512);
	memcpy(elf, &header, sizeof(header));
	memcpy(elf + NOTE_AT, note, sizeof(note));
	memcpy(elf + SECTIONS_AT + sizeof(section), &section, sizeof(section));
	*len = SECTIONS_AT + 2 * sizeof(section);
}

static void build_id_of_file_and_of_notes_are_the_same(void)
{
	struct buildid file, notes;
	uint8_t elf[512];
	size_t len;

	elf_make(elf, &len);
	CU_ASSERT_TRUE_FATAL(buildid_from_elf(&file, elf, len));
	CU_ASSERT_TRUE_FATAL(buildid_from_notes(&notes, elf + NOTE_AT, 36));
	CU_ASSERT_EQUAL(file.len, 20);
	CU_ASSERT_TRUE(buildid_equal(&file, &notes));
	notes.bytes[19]++;
	CU_ASSERT_FALSE(buildid_equal(&file, &notes));
}

static void hostile_elf_shows_no_build_id_and_nothing_behind_it(void)
{
	struct buildid id;
	uint8_t elf[512];
	size_t len;

	elf_make(elf, &len);
	for (size_t n = 0; n < len; n++) {
		_cleanup_(freep) uint8_t *copy = malloc(n ? n : 1);

		memcpy(copy, elf, n);
		CU_ASSERT_FALSE(buildid_from_elf(&id, copy, n));
	}
	for (size_t i = 0; i < len; i++) {
		_cleanup_(freep) uint8_t *copy = malloc(len);

		memcpy(copy, elf, len);
		copy[i] = 0xff;
		if (buildid_from_elf(&id, copy, len))
			CU_ASSERT(id.len && id.len <= BUILDID_MAX);
	}
}

/* --- modules ---------------------------------------------------------------------------------- */

static void file_write(const char *root, const char *path, const char *text)
{
	char full[512];
	FILE *file;

	for (const char *p = path + 1; (p = strchr(p, '/')); p++) {
		snprintf(full, sizeof(full), "%s%.*s", root, (int)(p - path), path);
		mkdir(full, 0755);
	}
	snprintf(full, sizeof(full), "%s%s", root, path);
	file = fopen(full, "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	fputs(text, file);
	fclose(file);
}

static void tree_make(char root[static 32], struct tree *tree)
{
	strcpy(root, "/tmp/sekimori-doctor-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(root));
	CU_ASSERT_EQUAL_FATAL(tree_open(tree, root), 0);
}

static void tree_remove(const char *root, struct tree *tree)
{
	char command[64];

	tree_close(tree);
	snprintf(command, sizeof(command), "rm -rf %s", root);
	CU_ASSERT_EQUAL(system(command), 0);
}

static void modprobe_files_count_as_kmod_reads_them(void)
{
	struct modules modules;
	struct tree tree;
	char root[32], path[TREE_LINE_MAX];

	tree_make(root, &tree);
	file_write(root, "/usr/lib/modprobe.d/roads.conf",
		   "# install sr_mod /bin/true\ninstall thunderbolt /bin/false\ninstall "
		   "firewire-ohci \\\n /bin/false\n"
		   "install floppy /bin/falsehood\nblacklist pcspkr\noptions sekimori harmless=09 "
		   "lock=1\n");
	file_write(root, "/usr/lib/modprobe.d/over.conf", "install sr_mod /bin/false\n");
	file_write(root, "/etc/modprobe.d/over.conf", "# nothing\n");
	file_write(root, "/etc/modprobe.d/not-a-conf", "install pcspkr /bin/false\n");
	file_write(root, "/usr/lib/modprobe.d/drill.conf",
		   "install pktcdvd /usr/libexec/sekimori/sekimori-road pktcdvd\n"
		   "install ms_block /usr/libexec/sekimori/sekimori-road\n"
		   "install mspro_block /usr/libexec/sekimori/sekimori-road mspro_block ; insmod x.ko\n"
		   "install firewire_net /usr/libexec/sekimori/sekimori-road sr_mod\n");
	file_write(root, "/lib/modules/6.1/modules.dep",
		   "kernel/drivers/cdrom/sr_mod.ko: "
		   "x.ko\nupdates/sekimori.ko.xz:\nkernel/firewire/firewire-ohci.ko: y.ko\n");
	file_write(root, "/lib/modules/6.1/modules.builtin", "kernel/drivers/block/loop.ko\n");
	file_write(root, "/sys/module/usb_storage/initstate", "live\n");
	CU_ASSERT_EQUAL_FATAL(modules_load(&modules, &tree, "6.1"), 0);

	CU_ASSERT_EQUAL(modules_rule(&modules, "thunderbolt"), MODULES_CLOSED);
	CU_ASSERT_EQUAL(modules_rule(&modules, "firewire_ohci"), MODULES_CLOSED);
	CU_ASSERT_EQUAL(modules_rule(&modules, "floppy"), MODULES_OPEN);
	CU_ASSERT_EQUAL(modules_rule(&modules, "pcspkr"), MODULES_BLACKLISTED);
	CU_ASSERT_EQUAL(modules_rule(&modules, "sr_mod"), MODULES_OPEN);
	CU_ASSERT_EQUAL(modules_rule(&modules, "pktcdvd"), MODULES_CLOSED);
	CU_ASSERT_EQUAL(modules_rule(&modules, "ms_block"), MODULES_OPEN);
	CU_ASSERT_EQUAL(modules_rule(&modules, "mspro_block"), MODULES_OPEN);
	CU_ASSERT_EQUAL(modules_rule(&modules, "firewire_net"), MODULES_OPEN);
	CU_ASSERT_TRUE(modules_option_on(&modules, "sekimori", "lock"));
	CU_ASSERT_FALSE(modules_option_on(&modules, "sekimori", "loc"));
	CU_ASSERT_FALSE(modules_option_on(&modules, "sekimori", "other"));
	CU_ASSERT_TRUE(modules_installed(&modules, "sekimori", path));
	CU_ASSERT_STRING_EQUAL(path, "updates/sekimori.ko.xz");
	CU_ASSERT_TRUE(modules_installed(&modules, "firewire_ohci", NULL));
	CU_ASSERT_FALSE(modules_installed(&modules, "mod", NULL));
	CU_ASSERT_TRUE(modules_present(&modules, "usb_storage"));
	CU_ASSERT_TRUE(modules_present(&modules, "loop"));
	CU_ASSERT_FALSE(modules_present(&modules, "sr_mod"));
	modules_free(&modules);
	tree_remove(root, &tree);
}

/* The kernel takes the last value of a parameter, as kstrtobool() reads it. */
static void last_value_of_an_option_decides(void)
{
	static const struct {
		const char *text;
		bool on;
	} rows[] = {
		{"options sekimori lock=1\n", true},
		{"options sekimori lock\n", true},
		{"options sekimori lock=Y harmless=09\r\n", true},
		{"options sekimori lock=on\n", true},
		{"options sekimori lock=off\n", false},
		{"options sekimori lock=0\n", false},
		{"options sekimori lock=1 lock=0\n", false},
		{"options sekimori lock=1\noptions sekimori harmless=09 lock=n\n", false},
		{"options sekimori lock=0\noptions sekimori lock=1\n", true},
		{"options sekimori locked=1\n", false},
		{"options other lock=1\n", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct modules modules;
		struct tree tree;
		char root[32];

		tree_make(root, &tree);
		file_write(root, "/etc/modprobe.d/x.conf", rows[i].text);
		CU_ASSERT_EQUAL_FATAL(modules_load(&modules, &tree, "6.1"), 0);
		EXPECT(modules_option_on(&modules, "sekimori", "lock") == rows[i].on, rows[i].text);
		modules_free(&modules);
		tree_remove(root, &tree);
	}
}

/* --- the clock -------------------------------------------------------------------------------- */

static int clock_status;

/* The kernel's part: in the place of the C library's. */
int adjtimex(struct timex *timex)
{
	timex->status = clock_status;
	return 0;
}

static enum doctor_result clock_finding(struct doctor *doctor)
{
	struct doctor_finding finding = {.result = DOCTOR_FAIL};

	for (size_t i = 0; i < n_doctor_checks; i++)
		if (!strcmp(doctor_checks[i].id, "clock-synchronised"))
			doctor_examine(doctor, &doctor_checks[i], &finding);
	return finding.result;
}

/* systemd-timesyncd leaves its file when it has lost its server. */
static void own_clock_is_as_the_kernel_says(void)
{
	struct doctor doctor = {.own = true};
	char root[32];

	tree_make(root, &doctor.tree);
	clock_status = STA_UNSYNC;
	CU_ASSERT_EQUAL(clock_finding(&doctor), DOCTOR_WARN);
	file_write(root, "/run/systemd/timesync/synchronized", "");
	CU_ASSERT_EQUAL(clock_finding(&doctor), DOCTOR_WARN);
	clock_status = 0;
	CU_ASSERT_EQUAL(clock_finding(&doctor), DOCTOR_OK);
	tree_remove(root, &doctor.tree);
}

/* A link that leads out of the tree leads to the tree's own file, or nowhere. */
static void links_stay_inside_of_the_tree(void)
{
	_cleanup_(freep) char *text = NULL;
	struct tree tree;
	char root[32], full[64], line[TREE_LINE_MAX];

	tree_make(root, &tree);
	file_write(root, "/etc/hostname", "inside\n");
	snprintf(full, sizeof(full), "%s/absolute", root);
	CU_ASSERT_EQUAL(symlink("/etc/hostname", full), 0);
	snprintf(full, sizeof(full), "%s/upwards", root);
	CU_ASSERT_EQUAL(symlink("../../../../../../etc/passwd", full), 0);
	snprintf(full, sizeof(full), "%s/fifo", root);
	CU_ASSERT_EQUAL(mkfifo(full, 0600), 0);
	CU_ASSERT_EQUAL(tree_line(&tree, "/absolute", line), 0);
	CU_ASSERT_STRING_EQUAL(line, "inside");
	CU_ASSERT_EQUAL(tree_read(&tree, "/upwards", 4096, &text, NULL), -ENOENT);
	CU_ASSERT_EQUAL(tree_read(&tree, "/fifo", 4096, &text, NULL), -EINVAL);
	CU_ASSERT_EQUAL(tree_read(&tree, "/etc/hostname", 6, &text, NULL), -EFBIG);
	CU_ASSERT_EQUAL(tree_read(&tree, "/etc/hostname", 7, &text, NULL), 0);
	tree_remove(root, &tree);
}

/* --- findings --------------------------------------------------------------------------------- */

static void heaviest_result_counts_and_brings_its_own_words(void)
{
	struct doctor_finding finding = {.todo = ""};

	finding_add(&finding, DOCTOR_OK, "%d files", 3);
	CU_ASSERT_STRING_EQUAL(finding.detail, "3 files");
	finding_add(&finding, DOCTOR_WARN, "%s is odd", "a");
	finding_add(&finding, DOCTOR_UNKNOWN, "unread");
	finding_add(&finding, DOCTOR_FAIL, "%s is gone", "b");
	finding_add(&finding, DOCTOR_WARN, "%s is odd", "c");
	finding_add(&finding, DOCTOR_FAIL, "%s is gone", "d");
	CU_ASSERT_EQUAL(finding.result, DOCTOR_FAIL);
	CU_ASSERT_STRING_EQUAL(finding.detail, "b is gone; d is gone");
	for (int i = 0; i < 200; i++)
		finding_add(&finding, DOCTOR_FAIL, "file %d is gone", i);
	CU_ASSERT_EQUAL(strlen(finding.detail), DOCTOR_DETAIL_MAX - 1);
}

static void every_check_has_an_id_of_its_own_that_can_be_recorded(void)
{
	for (size_t i = 0; i < n_doctor_checks; i++) {
		const struct doctor_check *check = &doctor_checks[i];

		EXPECT(strspn(check->id, "abcdefghijklmnopqrstuvwxyz-") == strlen(check->id) &&
			       strlen(check->id) <= 48,
		       check->id);
		EXPECT(check->requirements[0] == 'R' && *check->text && *check->todo && check->run,
		       check->id);
		for (size_t k = 0; k < i; k++)
			EXPECT(strcmp(check->id, doctor_checks[k].id), check->id);
	}
}

static const struct test tests[] = {
	TEST(manifest_gives_path_mode_kind_and_digest),
	TEST(manifest_with_any_error_is_refused_as_a_whole),
	TEST(cut_manifest_is_refused),
	TEST(cpio_gives_the_same_names_in_any_pieces),
	TEST(cpio_gives_what_was_wanted_and_no_more),
	TEST(cut_initramfs_is_damaged),
	TEST(changed_headers_never_lead_outside),
	TEST(second_archive_is_found_in_every_compression),
	TEST(build_id_of_file_and_of_notes_are_the_same),
	TEST(hostile_elf_shows_no_build_id_and_nothing_behind_it),
	TEST(modprobe_files_count_as_kmod_reads_them),
	TEST(last_value_of_an_option_decides),
	TEST(own_clock_is_as_the_kernel_says),
	TEST(links_stay_inside_of_the_tree),
	TEST(heaviest_result_counts_and_brings_its_own_words),
	TEST(every_check_has_an_id_of_its_own_that_can_be_recorded),
};

int main(void)
{
	return testing_run("doctor", tests, ARRAY_SIZE(tests));
}
