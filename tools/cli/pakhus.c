/* pakhus.c - the program: its command table, and what is common to all.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "help.h"
#include "out.h"
#include "parse.h"
#include "say.h"

#define STORE_DEFAULT "./pakhus-store"

const struct cli_option_row cli_options[OPT_COUNT] = {
	[OPT_STORE] = {NULL, "STORE", "the directory of the store", 'C',
		       WORD_DIR},
	[OPT_HELP] = {"help", NULL, "print this", 'h', WORD_NONE},
	[OPT_JSON] = {"json", NULL, "print JSON, one object a line", 0,
		      WORD_NONE},
	[OPT_BY] = {"by", "LABEL",
		    "who does this, for the log (default: $PAKHUS_BY)", 0,
		    WORD_NONE},
	[OPT_LEVEL] = {"level", "N",
		       "zstd level of new objects, 1 to 19 (default: 12)", 0,
		       WORD_NONE},
	[OPT_THREADS] = {"threads", "N",
			 "how many work at it, 1 to 64 (default: one a processor)", 0,
			 WORD_NONE},
	[OPT_ORIGIN] = {"origin", "NAME", "name of the signed log", 0,
			WORD_NONE},
	[OPT_IMMUTABLE] = {"immutable", NULL,
			   "the content of a version never changes", 0,
			   WORD_NONE},
	[OPT_ID] = {"id", "ID", "the package, where ID has an @ in it", 0,
		    WORD_ID},
	[OPT_VERSION] = {"version", "V", "the version; ID is then not split", 0,
			 WORD_NONE},
	[OPT_AT] = {"at", "SEQ", "what was published at this log position", 0,
		    WORD_NONE},
	[OPT_MANIFEST] = {"manifest", NULL, "print the manifest alone", 0,
			  WORD_NONE},
	[OPT_METADATA] = {"metadata", NULL, "print the metadata alone", 0,
			  WORD_NONE},
	[OPT_DOCUMENT] = {"document", NULL,
			  "print the text whose SHA-256 is the hash", 0,
			  WORD_NONE},
	[OPT_ARTIFACT] = {"artifact", NULL, "print its build artifact", 0,
			  WORD_NONE},
	[OPT_LIMIT] = {"limit", "N", "stop after N", 0, WORD_NONE},
	[OPT_BEFORE] = {"before", "PLACE", "start below this place of the log",
			0, WORD_NONE},
	[OPT_BEFORE_SEQ] = {"before", "SEQ",
			    "start below this position of the log", 0,
			    WORD_NONE},
	[OPT_REBUILD] = {"rebuild", NULL,
			 "make the index anew from the log first", 0,
			 WORD_NONE},
	[OPT_PROOF] = {"proof", "FILE", "check a proof, and no store", 0,
		       WORD_FILE},
	[OPT_VKEY] = {"key", "VKEY", "the log's key, or a file that holds it",
		      0, WORD_FILE},
	[OPT_REASON] = {"reason", "TEXT", "why, for the log", 0, WORD_NONE},
	[OPT_HERE] = {"here", NULL, "this is the only copy that is written", 0,
		      WORD_NONE},
	[OPT_MAX_AGE] = {"max-age", "TIME",
			 "refuse what was signed longer ago: 90s 15m 12h 7d", 0,
			 WORD_NONE},
	[OPT_FOLLOW] = {"follow", NULL, "go on until interrupted", 0,
			WORD_NONE},
	[OPT_EVERY] = {"every", "TIME",
		       "how often to look, with --follow (default: 1m)", 0,
		       WORD_NONE},
	[OPT_KEY_FILE] = {"key", "FILE", "the private key to begin with", 0,
			  WORD_FILE},
	[OPT_ALL] = {"all", NULL, "those before it too", 0, WORD_NONE},
	[OPT_ROTATE] = {"rotate", NULL, "sign with a new key from now on", 0,
			WORD_NONE},
	[OPT_IMPORT] = {"import", "FILE",
			"sign with this private key from now on", 0,
			WORD_FILE},
	[OPT_RENEW] = {"renew", NULL, "sign it anew with the present time", 0,
		       WORD_NONE},
	[OPT_SINCE] = {"since", "SEQ|FILE",
		       "leave out what a mirror holds already", 0, WORD_FILE},
	[OPT_GRACE] = {"grace", "TIME",
		       "free what waited longer: 0 60s 15m 12h (default: 14d)", 0, WORD_NONE},
	[OPT_DRY_RUN] = {"dry-run", NULL, "say what would go, and change nothing",
			 0, WORD_NONE},
	[OPT_QUICK] = {"quick", NULL, "the log, and that live objects are there",
		       0, WORD_NONE},
	[OPT_REPAIR] = {"repair", NULL, "restore damaged and missing objects",
			0, WORD_NONE},
	[OPT_FROM] = {"from", "SOURCE", "a mirror or store, as mirror has it",
		      0, WORD_DIR},
	[OPT_SET] = {"set", "FILE|-", "say what is in this JSON object", 0,
		     WORD_FILE},
	[OPT_UNSET] = {"unset", NULL, "say nothing any more", 0, WORD_NONE},
	[OPT_LISTEN] = {"listen", "ADDR",
			"HOST:PORT or unix:PATH (default: 127.0.0.1:4600)",
			0, WORD_NONE},
	[OPT_ANONYMOUS] = {"anonymous", "WHAT",
			   "who has no token reads all, listed or none", 0,
			   WORD_NONE},
	[OPT_READ_ONLY] = {"read-only", NULL, "nobody writes", 0, WORD_NONE},
	[OPT_TLS_CERT] = {"tls-cert", "FILE", "certificates, for HTTPS", 0,
			  WORD_FILE},
	[OPT_TLS_KEY] = {"tls-key", "FILE", "the private key of the first", 0,
			 WORD_FILE},
	[OPT_ACCESS_LOG] = {"access-log", "FILE",
			    "a line a request; - is stderr, off none "
			    "(default: -)", 0, WORD_FILE},
	[OPT_TRUST_PROXY] = {"trust-proxy", "NETS",
			     "who may say for whom it asks: "
			     "10.0.0.0/8,::1,unix", 0, WORD_NONE},
	[OPT_REQUESTS] = {"threads", "N",
			  "how many requests run at once, 1 to 64", 0,
			  WORD_NONE},
	[OPT_CONNECTIONS] = {"connections", "N",
			     "how many at once (default: 10000)", 0,
			     WORD_NONE},
	[OPT_MAX_DOCUMENT] = {"max-document", "BYTES",
			      "refuse larger ones (default: 67108864)", 0,
			      WORD_NONE},
	[OPT_RATES] = {"rates", "N,N,N",
		       "reads, writes, wrong secrets a minute (12000,1200,60)", 0,
		       WORD_NONE},
	[OPT_METRICS_PUBLIC] = {"metrics-public", NULL,
				"/metrics needs no token", 0, WORD_NONE},
	[OPT_TOKENS] = {"tokens", "FILE",
			"who may do what (default: $PAKHUS_TOKENS)", 0,
			WORD_FILE},
	[OPT_SCOPE] = {"scope", "SCOPE",
		       "read, publish, delete or admin, with :IDS", 0,
		       WORD_NONE},
	[OPT_EXPIRES] = {"expires", "TIME",
			 "how long it is good for: 90s 15m 12h 90d", 0,
			 WORD_NONE},
};

#define PAGED (CLI_OPT(OPT_JSON) | CLI_OPT(OPT_LIMIT))

const struct cli_command cli_commands[] = {
	{.name = "init",
	 .operands = "",
	 .summary = "Make a store",
	 .text = "publish and import make one too where none is; init is for "
		 "those who want to\nname its log, or who want versions that "
		 "never change. A private key that is\ngiven names the log "
		 "too; - is stdin.\n",
	 .run = cmd_init,
	 .options = CLI_OPT(OPT_JSON) | CLI_OPT(OPT_BY) | CLI_OPT(OPT_ORIGIN) |
		    CLI_OPT(OPT_IMMUTABLE) | CLI_OPT(OPT_KEY_FILE)},
	{.name = "publish",
	 .operands = "FILE...|-",
	 .summary = "Add or replace versions, one document a file",
	 .text = "A document is {\"manifest\": {...}, \"metadata\": {...}} or "
		 "a build artifact,\n{\"manifest\": {...}, \"objects\": [...], "
		 "...}; its manifest.id and\nmanifest.version name what is "
		 "published. - is stdin. Prints ID@VERSION and the\nhash. A "
		 "file that is refused does not keep the others from being "
		 "published.\n",
	 .run = cmd_publish,
	 .options = CLI_OPT(OPT_JSON) | CLI_OPT(OPT_BY) | CLI_OPT(OPT_LEVEL),
	 .min = 1,
	 .max = -1,
	 .word = WORD_FILE},
	{.name = "import",
	 .operands = "FILE|-",
	 .summary = "Publish many documents, one a line of JSON Lines",
	 .text = "Lines are made durable in batches. At the first line that is "
		 "refused, and on an\ninterrupt, the lines before it are kept; "
		 "how many is said. Empty lines are\nskipped.\n",
	 .run = cmd_import,
	 .options = CLI_OPT(OPT_JSON) | CLI_OPT(OPT_BY) | CLI_OPT(OPT_LEVEL) |
		    CLI_OPT(OPT_THREADS),
	 .min = 1,
	 .max = 1,
	 .word = WORD_FILE},
	{.name = "get",
	 .operands = "[ID[@VERSION]]",
	 .summary = "Print a version with its manifest and metadata",
	 .text = "Without VERSION, or with latest, the one that was inserted "
		 "last. With --at, ID\nmay be left out; where it is given it "
		 "has to fit.\n",
	 .run = cmd_get,
	 .options = CLI_OPT(OPT_JSON) | CLI_OPT(OPT_ID) | CLI_OPT(OPT_VERSION) |
		    CLI_OPT(OPT_AT) | CLI_OPT(OPT_MANIFEST) |
		    CLI_OPT(OPT_METADATA) | CLI_OPT(OPT_DOCUMENT) |
		    CLI_OPT(OPT_ARTIFACT),
	 .max = 1,
	 .word = WORD_SPEC},
	{.name = "list",
	 .operands = "",
	 .summary = "List packages, each with its latest version",
	 .text = "Newest first. On a terminal a table; elsewhere id, version, "
		 "updated and hash,\nseparated by tabs.\n",
	 .run = cmd_list,
	 .options = PAGED | CLI_OPT(OPT_BEFORE)},
	{.name = "versions",
	 .operands = "ID",
	 .summary = "List the versions of a package",
	 .text = "Newest first. On a terminal a table; elsewhere id, version, "
		 "updated and hash,\nseparated by tabs.\n",
	 .run = cmd_versions,
	 .options = PAGED | CLI_OPT(OPT_BEFORE),
	 .min = 1,
	 .max = 1,
	 .word = WORD_ID},
	{.name = "delete",
	 .operands = "[ID[@VERSION]]",
	 .summary = "Delete one version, or all of a package",
	 .text = "All of them go in one step. Content stays in the history, "
		 "see get --at, until\ngc frees it.\n",
	 .run = cmd_delete,
	 .options = CLI_OPT(OPT_JSON) | CLI_OPT(OPT_BY) | CLI_OPT(OPT_ID) |
		    CLI_OPT(OPT_VERSION),
	 .max = 1,
	 .word = WORD_SPEC},
	{.name = "attrs",
	 .operands = "[ID[@VERSION]]",
	 .summary = "Print or set what is said of a package or version",
	 .text = "A JSON object beside the documents, that may change while "
		 "they do not:\ndisplay_name, visibility, readme, "
		 "release_notes, ... What is said of a package\nstays whatever "
		 "is published or deleted, of a version until it is deleted.\n",
	 .run = cmd_attrs,
	 .options = CLI_OPT(OPT_JSON) | CLI_OPT(OPT_BY) | CLI_OPT(OPT_ID) |
		    CLI_OPT(OPT_VERSION) | CLI_OPT(OPT_SET) |
		    CLI_OPT(OPT_UNSET),
	 .max = 1,
	 .word = WORD_SPEC},
	{.name = "purge",
	 .operands = "[ID@VERSION]",
	 .summary = "Remove the texts of a version for ever",
	 .text = "For secrets, and what a law forbids: no byte of what was "
		 "ever published for the\nversion, or said of it with attrs, is "
		 "left in the store; with --at of what was\npublished or said "
		 "there (of the package: ID without a version). Its id,\n"
		 "version and hash stay in the signed log for ever, and so do "
		 "TEXT and LABEL:\ndo not repeat a secret in them. The same "
		 "content cannot be published again.\nMirrors follow at their "
		 "next sync; bundles, backups and other copies keep what\n"
		 "they have.\n",
	 .run = cmd_purge,
	 .options = CLI_OPT(OPT_JSON) | CLI_OPT(OPT_BY) | CLI_OPT(OPT_ID) |
		    CLI_OPT(OPT_VERSION) | CLI_OPT(OPT_AT) |
		    CLI_OPT(OPT_REASON),
	 .needed = CLI_OPT(OPT_REASON),
	 .max = 1,
	 .word = WORD_SPEC},
	{.name = "history",
	 .operands = "[ID]",
	 .summary = "List what was published and deleted, and by whom",
	 .text = "Newest first. On a terminal a table; elsewhere op, position, "
		 "time, id, version,\nhash, by, and of a purge the reason, "
		 "separated by tabs.\n",
	 .run = cmd_history,
	 .options = PAGED | CLI_OPT(OPT_BEFORE_SEQ),
	 .max = 1,
	 .word = WORD_ID},
	{.name = "diff",
	 .operands = "ID@A ID@B | ID A B",
	 .summary = "Say what changed between two versions",
	 .text = "A line for each member of the metadata that was added (+), "
		 "removed (-) or\nchanged (~), with the keys that changed in "
		 "it. "
		 "The elements of a list go by\ntheir name, else id, else key, "
		 "else position.\nThe exit status does not depend on "
		 "differences.\n",
	 .run = cmd_diff,
	 .options = CLI_OPT(OPT_JSON),
	 .min = 2,
	 .max = 3,
	 .word = WORD_SPEC},
	{.name = "verify",
	 .operands = "[DOCUMENT]",
	 .summary = "Check every file of the store and the index, or a proof",
	 .text = "Damage is printed as FILE: RULE: TEXT, and the exit status "
		 "is 4. --quick\ndecodes nothing: it finds what is missing or "
		 "cut off, and every change to the\nlog, but no altered content "
		 "of an object. --repair brings objects that are\ndamaged, or "
		 "missing and live, from any store or mirror that has them, "
		 "checks\nthem and puts them in place; damage to other files is "
		 "told and stays. Damaged\nones that nobody has and nothing "
		 "needs are set aside until the next gc.\n\nWith --proof the file that prove printed is held "
		 "against the log's key, without\na store, and so is DOCUMENT "
		 "if it is given. What it proves is printed: what was\n"
		 "published, not that it is still live. VKEY is the key that "
		 "`pakhus key` prints,\nor the name of a file that holds it. "
		 "- is stdin.\n",
	 .run = cmd_verify,
	 .options = CLI_OPT(OPT_JSON) | CLI_OPT(OPT_REBUILD) |
		    CLI_OPT(OPT_QUICK) | CLI_OPT(OPT_REPAIR) |
		    CLI_OPT(OPT_FROM) | CLI_OPT(OPT_THREADS) |
		    CLI_OPT(OPT_PROOF) | CLI_OPT(OPT_VKEY),
	 .max = 1,
	 .word = WORD_FILE},
	{.name = "prove",
	 .operands = "[ID[@VERSION]]",
	 .summary = "Print a proof that a version was published",
	 .text = "With it `pakhus verify --proof` convinces whoever has the "
		 "log's key, without a\nstore. It says that the version was "
		 "published, not that it is still live.\nWithout VERSION, or "
		 "with latest, it is the one that was inserted last. With\n"
		 "--at any entry of the log is proven, a deletion too; where "
		 "ID is given besides\nit has to fit.\n",
	 .run = cmd_prove,
	 .options = CLI_OPT(OPT_JSON) | CLI_OPT(OPT_ID) | CLI_OPT(OPT_VERSION) |
		    CLI_OPT(OPT_AT),
	 .max = 1,
	 .word = WORD_SPEC},
	{.name = "gc",
	 .operands = "",
	 .summary = "Free what no live version needs",
	 .text = "The content of deleted and replaced versions goes, which "
		 "get --at could read\nuntil then, once two runs found it so "
		 "and the grace period is over. What is\nfreed is removed for "
		 "good by the next run.\n",
	 .run = cmd_gc,
	 .options = CLI_OPT(OPT_JSON) | CLI_OPT(OPT_GRACE) |
		    CLI_OPT(OPT_DRY_RUN)},
	{.name = "cat",
	 .operands = "HASH",
	 .summary = "Print the text of an object by its hash",
	 .text = NULL,
	 .run = cmd_cat,
	 .options = CLI_OPT(OPT_JSON),
	 .min = 1,
	 .max = 1},
	{.name = "stat",
	 .operands = "",
	 .summary = "Say what the store is and holds",
	 .text = NULL,
	 .run = cmd_stat,
	 .options = CLI_OPT(OPT_JSON)},
	{.name = "site",
	 .operands = "OUT",
	 .summary = "Write the packages as files that runtimes install from",
	 .text = "OUT is what OS_MARKETPLACE_PUBLIC_BASE_URL names where a web "
		 "server serves it.\nIt is empty or not there, or was made by "
		 "site: then what changed since is\nwritten, and what is gone is "
		 "removed. Ids and versions that can be no part of a\npath are "
		 "left out, and counted.\n",
	 .run = cmd_site,
	 .options = CLI_OPT(OPT_JSON),
	 .min = 1,
	 .max = 1,
	 .word = WORD_DIR},
	{.name = "dump",
	 .operands = "FILE",
	 .summary = "Print one file of a store as text for people",
	 .text = "The file's place in its store says what it is.\n",
	 .run = cmd_dump,
	 .options = CLI_OPT(OPT_JSON),
	 .min = 1,
	 .max = 1,
	 .word = WORD_FILE},
	{.name = "key",
	 .operands = "",
	 .summary = "Print the key that the log is verified with, or change it",
	 .text = "With --all every key the log had: position, time and key. "
		 "With --rotate or\n--import the log gets another; both sign "
		 "that, so who trusts the old one goes on\nby itself, and the "
		 "old private key is removed. FILE holds PRIVATE+KEY+...; - "
		 "is\nstdin.\n",
	 .run = cmd_key,
	 .options = CLI_OPT(OPT_JSON) | CLI_OPT(OPT_BY) | CLI_OPT(OPT_ALL) |
		    CLI_OPT(OPT_ROTATE) | CLI_OPT(OPT_IMPORT)},
	{.name = "checkpoint",
	 .operands = "",
	 .summary = "Print the signed checkpoint of the log",
	 .text = "A signed note: origin, entries, root hash and time. With "
		 "--renew it is signed\nanew first, for readers who refuse one "
		 "that is too old.\n",
	 .run = cmd_checkpoint,
	 .options = CLI_OPT(OPT_JSON) | CLI_OPT(OPT_RENEW)},
	{.name = "adopt",
	 .operands = "[SOURCE]",
	 .summary = "Let a copied store be written",
	 .text = "From SOURCE, as mirror has it, comes first what was "
		 "published after the copy was\nmade. With --here nothing "
		 "comes, and you say that nothing was. This is then the\nonly "
		 "copy that is to be written: two that are written sign two "
		 "histories under\none name, and mirrors will refuse one of "
		 "them.\n",
	 .run = cmd_adopt,
	 .options = CLI_OPT(OPT_JSON) | CLI_OPT(OPT_THREADS) |
		    CLI_OPT(OPT_HERE),
	 .max = 1,
	 .word = WORD_DIR},
	{.name = "mirror",
	 .operands = "SOURCE DIR",
	 .summary = "Make a mirror of a store, or bring it up to date",
	 .text = "SOURCE is http://..., https://..., rsync://..., HOST:PATH "
		 "(by rsync and ssh)\nor a path, of a store or of another "
		 "mirror. All that comes is checked before\nany of it is "
		 "shown. DIR is named here and not by -C; later on, pakhus\n"
		 "-C DIR reads it.\n\nWithout --key the first time believes "
		 "the key that it finds, and tells it.\nWith --follow a failure "
		 "is told and tried again, but what is damaged, badly\nsigned "
		 "or too old ends it.\n",
	 .run = cmd_mirror,
	 .options = CLI_OPT(OPT_JSON) | CLI_OPT(OPT_VKEY) |
		    CLI_OPT(OPT_MAX_AGE) | CLI_OPT(OPT_FOLLOW) |
		    CLI_OPT(OPT_EVERY) | CLI_OPT(OPT_THREADS),
	 .min = 2,
	 .max = 2,
	 .word = WORD_DIR},
	{.name = "bundle",
	 .operands = "create FILE|- | apply FILE",
	 .summary = "Carry a store, or what is new in it, to a mirror in a file",
	 .text = "create writes a tar of what a mirror lacks that holds the "
		 "first SEQ entries of\nthe log, or those of the checkpoint in "
		 "FILE, which is the mirror's\nlog/checkpoint; without --since, "
		 "of everything. - is stdout.\n\napply makes STORE a mirror of "
		 "what is in FILE, or brings it up to date, with\nthe checks of "
		 "mirror. Bundles are applied in the order in which they were\n"
		 "made.\n",
	 .run = cmd_bundle,
	 .options = CLI_OPT(OPT_JSON) | CLI_OPT(OPT_SINCE) |
		    CLI_OPT(OPT_VKEY) | CLI_OPT(OPT_MAX_AGE) |
		    CLI_OPT(OPT_THREADS),
	 .min = 2,
	 .max = 2,
	 .word = WORD_FILE},
	{.name = "serve",
	 .operands = "",
	 .summary = "Answer over HTTP, for ObjectStack and for mirrors",
	 .text = "Prints its address once it answers, and goes on until it is "
		 "told to stop by\nSIGTERM or SIGINT; what runs then is "
		 "finished. Makes a store where none is,\nunless --read-only "
		 "is given. A mirror is served too, to be read. SIGHUP reads\n"
		 "tokens and certificates again and opens the access log "
		 "anew.\n",
	 .run = cmd_serve,
	 .options = CLI_OPT(OPT_LISTEN) | CLI_OPT(OPT_TOKENS) |
		    CLI_OPT(OPT_ANONYMOUS) | CLI_OPT(OPT_READ_ONLY) |
		    CLI_OPT(OPT_TLS_CERT) | CLI_OPT(OPT_TLS_KEY) |
		    CLI_OPT(OPT_REQUESTS) | CLI_OPT(OPT_CONNECTIONS) |
		    CLI_OPT(OPT_ACCESS_LOG) | CLI_OPT(OPT_TRUST_PROXY) |
		    CLI_OPT(OPT_MAX_DOCUMENT) | CLI_OPT(OPT_RATES) |
		    CLI_OPT(OPT_METRICS_PUBLIC)},
	{.name = "token",
	 .operands = "create NAME | list | revoke NAME",
	 .summary = "Say who may do what with a store that is served",
	 .text = "create prints the secret, once: FILE has its SHA-256 alone. "
		 "A client sends it\nas `Authorization: Bearer SECRET`, or as "
		 "the password of a URL.\n\nSCOPE is read, publish (read "
		 "too), delete or admin (everything), where wanted\nwith :IDS "
		 "behind it: an id, the beginning of ids as in com.acme.*, or "
		 "* for\nall. FILE is made by the first create. A server that "
		 "runs notices within a\nsecond.\n",
	 .run = cmd_token,
	 .options = CLI_OPT(OPT_JSON) | CLI_OPT(OPT_TOKENS) |
		    CLI_OPT(OPT_SCOPE) | CLI_OPT(OPT_EXPIRES),
	 .min = 1,
	 .max = 2},
	{.name = "help",
	 .operands = "[COMMAND]",
	 .summary = "Explain a command",
	 .text = NULL,
	 .run = cmd_help,
	 .max = 1,
	 .word = WORD_COMMAND},
	{.name = "completion",
	 .operands = "bash|zsh|fish",
	 .summary = "Print a completion script",
	 .text = NULL,
	 .run = cmd_completion,
	 .min = 1,
	 .max = 1,
	 .word = WORD_SHELL},
	{.name = NULL},
};

const struct cli_command *cli_find(const char *name)
{
	const struct cli_command *c;

	for (c = cli_commands; c->name; c++)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}

static int choose_store(struct cli *cli)
{
	const char *env = getenv("PAKHUS_STORE");

	cli->store = cli->value[OPT_STORE];
	if (cli->store && !*cli->store)
		return say_usage(cli, "the store's name is empty");
	if (!cli->store && env && *env)
		cli->store = env;
	if (!cli->store)
		cli->store = STORE_DEFAULT;
	return CLI_DONE;
}

static int check_operands(const struct cli *cli)
{
	const struct cli_command *c = cli->command;

	if (cli->operands < c->min)
		return say_usage(cli, "an argument is missing");
	if (c->max >= 0 && cli->operands > c->max)
		return say_usage(cli, "one argument too many: %s",
				 cli->operand[c->max]);
	return CLI_DONE;
}

static int run(struct cli *cli, char **argv)
{
	int at = 1, rc;

	rc = parse_global(cli, argv, &at);
	if (rc)
		return rc;
	if (cli->value[OPT_HELP]) {
		help_all(stdout);
		return CLI_DONE;
	}
	if (argv[at] && !strcmp(argv[at], "--version")) {
		printf("pakhus %s\n", pakhus_version());
		return CLI_DONE;
	}
	if (!argv[at]) {
		help_all(stderr);
		return CLI_USAGE;
	}
	cli->command = cli_find(argv[at]);
	if (!cli->command)
		return say_usage(cli, "no such command: %s", argv[at]);
	rc = parse_command(cli, argv + at + 1);
	if (rc)
		return rc;
	if (cli->value[OPT_HELP]) {
		help_command(stdout, cli->command);
		return CLI_DONE;
	}
	rc = check_operands(cli);
	if (!rc)
		rc = choose_store(cli);
	return rc ? rc : cli->command->run(cli);
}

/* Without this a store's file could become descriptor 1, and what is
 * printed would go into it. Reading only: what is printed fails, and that
 * is reported. */
static void fill_standard_descriptors(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	struct cli cli = {0};

	(void)argc;
	fill_standard_descriptors();
	signal(SIGPIPE, SIG_IGN); /* a closed pipe is a failed write */
	return out_finish(&cli, run(&cli, argv));
}
