/* Going back: to a moment that is known, and to one that has to be looked for. */
#include "targets/emulator/history_internal.h"

#include "core/cursor.h"
#include "targets/emulator/paging.h"

/* Instructions before the place that is looked for at which checkpoints are left on the way there. */
static const tl_u64 distances[] = {8000000, 500000, 30000};

#define NO_CHECKPOINT ((tl_size)-1)

static void mute(const struct tl_history *history, bool on)
{
	struct tl_emulator_points *points = history->computer->harts[0].points;

	if (points != NULL)
		points->muted = on;
}

/* The latest checkpoint before `position`, or at it; there is one. */
static tl_size checkpoint_up_to(const struct tl_history *history, const struct tl_computer_position *position)
{
	tl_size index = history->active;

	while (index > 0 && tl_computer_compare(&history->checkpoints[index]->position, position) > 0)
		index--;
	return index;
}

/* The latest checkpoint before `position` that leads there from here. */
static tl_size checkpoint_before(const struct tl_history *history, const struct tl_computer_position *position)
{
	for (tl_size i = history->active + 1; i-- > 0;)
		if (tl_computer_compare(&history->checkpoints[i]->position, position) < 0 &&
		    tl_history_leads(history, i))
			return i;
	return NO_CHECKPOINT;
}

/*
 * Runs on from a checkpoint, with no regard for points, to the limits, leaving checkpoints before `begun`, which is
 * where the limits are, or a little behind it. False: a stop was requested.
 */
static bool approach(struct tl_history *history, const struct tl_computer_limits *limits, tl_u64 begun)
{
	enum tl_computer_exit exit = TL_COMPUTER_REACHED;

	mute(history, true);
	for (tl_u32 i = 0; i <= TL_COUNT(distances) && exit == TL_COMPUTER_REACHED; i++) {
		struct tl_computer_limits part = *limits;

		if (i < TL_COUNT(distances)) {
			/* Not where one is near already. */
			if (begun < distances[i] ||
			    history->checkpoints[history->active]->begun + distances[i] > begun - distances[i])
				continue;
			part.begun = begun - distances[i];
		}
		exit = tl_history_run(history, &part);
		if (i < TL_COUNT(distances) && !tl_computer_is_reached(history->computer, limits))
			(void)!tl_history_mark(history);
	}
	mute(history, false);
	tl_history_thin(history);
	return exit != TL_COMPUTER_STOPPED;
}

static enum tl_back to_beginning(struct tl_history *history)
{
	if (history->count != 0 && tl_history_leads(history, 0))
		tl_history_restore(history, 0);
	return TL_BACK_BEGINNING;
}

enum tl_back tl_history_step_back(struct tl_history *history, tl_u32 hart)
{
	struct tl_computer_position here = tl_computer_position(history->computer);
	struct tl_computer_limits limits = TL_COMPUTER_FOREVER;
	tl_u64 begun = history->computer->begun;
	tl_size index;

	if (history->count == 0 || history->computer->turns[hart].begun <= history->checkpoints[0]->turns[hart].begun)
		return to_beginning(history);
	limits.hart = hart;
	limits.hart_begun = history->computer->turns[hart].begun - 1;
	index = checkpoint_before(history, &here);
	while (index != NO_CHECKPOINT && history->checkpoints[index]->turns[hart].begun > limits.hart_begun)
		index = checkpoint_before(history, &history->checkpoints[index]->position);
	if (index == NO_CHECKPOINT)
		return to_beginning(history);
	tl_history_restore(history, index);
	return approach(history, &limits, begun - 1) ? TL_BACK_DONE : TL_BACK_STOPPED;
}

enum tl_back tl_history_go(struct tl_history *history, const struct tl_computer_position *position)
{
	struct tl_computer_position here = tl_computer_position(history->computer);
	struct tl_computer_limits limits = TL_COMPUTER_FOREVER;
	tl_size index;

	limits.until = tl_computer_compare(position, &history->end) < 0 ? position : &history->end;
	if (tl_computer_compare(position, &here) < 0) {
		index = checkpoint_before(history, position);
		if (index == NO_CHECKPOINT)
			return to_beginning(history);
		tl_history_restore(history, index);
	}
	return approach(history, &limits, history->checkpoints[history->active]->begun) ? TL_BACK_DONE
											: TL_BACK_STOPPED;
}

/* ---- Looking for the last halt ---- */

#define FRAMES_MAX 64
#define PARTS 8                /* into which a stretch is divided that may hold what is looked for */
#define SHORT ((tl_u64)100000) /* instructions that are not worth dividing */

/* Lines of a page of memory that are watched. */
struct watched_frame {
	tl_u64 number;
	struct tl_line_set lines;
};

/* Where what is looked for leaves its traces: lines of memory that are watched, and pages with breakpoints. */
struct traces {
	bool known; /* there is nothing else to look for */
	tl_u32 frame_count, code_count;
	struct watched_frame frames[FRAMES_MAX];
	tl_u64 code[FRAMES_MAX];
};

static void add_frames(const struct tl_history *history, const struct tl_emulator_point *point, bool physical,
		       struct traces *traces)
{
	const struct tl_computer *computer = history->computer;
	tl_u64 end = point->address + (point->size - 1), last = end & ~(TL_PAGE_SIZE - 1), address;

	for (address = point->address & ~(TL_PAGE_SIZE - 1); traces->known; address += TL_PAGE_SIZE) {
		tl_u64 first = address == (point->address & ~(TL_PAGE_SIZE - 1)) ? point->address - address : 0;
		tl_u64 after = address == last ? end - address + 1 : TL_PAGE_SIZE, frame = address;

		traces->known = (physical || tl_paging_look(&computer->harts[computer->turn], address, &frame)) &&
				frame >= history->writes.start &&
				frame - history->writes.start < history->writes.size &&
				traces->frame_count < FRAMES_MAX;
		if (traces->known)
			traces->frames[traces->frame_count++] =
				(struct watched_frame){(frame - history->writes.start) / TL_KEPT_SIZE,
						       tl_written_around(first, after - first)};
		if (address == last)
			return;
	}
}

static void add_code(const struct tl_point_list *breakpoints, struct traces *traces)
{
	for (tl_size i = 0; i < breakpoints->count && traces->known; i++) {
		tl_u64 address = breakpoints->points[i].address;

		if (traces->code_count != 0 &&
		    traces->code[traces->code_count - 1] / TL_PAGE_SIZE == address / TL_PAGE_SIZE)
			continue;
		traces->known = traces->code_count < FRAMES_MAX;
		if (traces->known)
			traces->code[traces->code_count++] = address;
	}
}

/* Of reads, and of exceptions, checkpoints know nothing, nor of fetches by physical address. */
static void find_traces(const struct tl_history *history, struct traces *traces_ret)
{
	const struct tl_emulator_points *points = history->computer->harts[0].points;
	const struct tl_point_list *lists[] = {&points->watchpoints, &points->physical_watchpoints};

	*traces_ret = (struct traces){.known = points->caught == 0 && points->physical_breakpoints.count == 0};
	add_code(&points->breakpoints, traces_ret);
	for (tl_u32 list = 0; list < TL_COUNT(lists); list++) {
		for (tl_size i = 0; i < lists[list]->count && traces_ret->known; i++) {
			if ((lists[list]->points[i].access & TL_POINT_READS) != 0)
				traces_ret->known = false;
			else
				add_frames(history, &lists[list]->points[i], list == 1, traces_ret);
		}
	}
}

static bool may_hold(struct tl_history *history, tl_size index, const struct traces *traces)
{
	struct tl_checkpoint *checkpoint = history->checkpoints[index];

	for (tl_u32 i = 0; i < traces->frame_count; i++) {
		const struct tl_kept_page *page = tl_kept_pages_find(&checkpoint->pages, traces->frames[i].number);

		if (page != NULL && tl_written_meet(&page->lines, &traces->frames[i].lines))
			return true;
	}
	for (tl_u32 i = 0; i < traces->code_count; i++)
		if (tl_fetched_pages_has(&checkpoint->fetched, traces->code[i]))
			return true;
	return !traces->known;
}

/* A halt that was met, and where. */
struct found {
	bool any;
	struct tl_computer_position position;
	tl_u64 begun;
	struct tl_back_halt halt;
};

static void note_halt(const struct tl_history *history, struct found *found)
{
	const struct tl_computer *computer = history->computer;
	struct tl_hart *hart = &computer->harts[computer->turn];

	found->any = true;
	found->position = tl_computer_position(computer);
	found->begun = computer->begun;
	found->halt = (struct tl_back_halt){.hart = computer->turn,
					    .halt = hart->halt,
					    .exception = hart->halt_exception,
					    .hit_count = hart->watch_hit_count};
	for (tl_u32 i = 0; i < hart->watch_hit_count; i++)
		found->halt.hits[i] = hart->watch_hits[i];
	hart->pass = hart->halt == TL_HALT_WATCHPOINT ? TL_PASS_NONE : hart->pc;
	hart->pass_stack = hart->x[2];
	hart->pass_caught = hart->halt == TL_HALT_EXCEPTION;
}

/* A stretch of the past that is looked through: from the active checkpoint. */
struct stretch {
	struct tl_computer_position end;
	tl_u64 end_begun;
};

/* How many instructions later the next checkpoint is left while it is run through. */
static tl_u64 part_of(const struct tl_history *history, const struct stretch *stretch)
{
	return (stretch->end_begun - history->checkpoints[history->active]->begun) / PARTS + 1;
}

/*
 * Runs through it with no regard for points, and leaves checkpoints in it, so that what was written and fetched is
 * known of each part. False: a stop was requested.
 */
static bool divide(struct tl_history *history, const struct stretch *stretch)
{
	struct tl_computer_limits limits = TL_COMPUTER_FOREVER;
	enum tl_computer_exit exit = TL_COMPUTER_REACHED;
	tl_u64 part = part_of(history, stretch);

	mute(history, true);
	limits.until = &stretch->end;
	while (exit == TL_COMPUTER_REACHED) {
		struct tl_computer_position here;

		limits.begun = history->computer->begun + part;
		exit = tl_history_run(history, &limits);
		here = tl_computer_position(history->computer);
		if (exit != TL_COMPUTER_REACHED || tl_computer_compare(&here, &stretch->end) >= 0)
			break;
		(void)!tl_history_mark(history);
	}
	mute(history, false);
	tl_history_take_lines(history);
	tl_history_thin(history);
	return exit != TL_COMPUTER_STOPPED;
}

/*
 * The last halt in the stretch. Checkpoints are left in it, so that the way to that halt will be short. False: a stop
 * was requested.
 */
static bool scan(struct tl_history *history, const struct stretch *stretch, struct found *found_ret)
{
	struct tl_computer_limits limits = TL_COMPUTER_FOREVER;
	enum tl_computer_exit exit;
	tl_u64 part = part_of(history, stretch);

	if (part < SHORT)
		part = SHORT;
	limits.until = &stretch->end;
	limits.begun = history->computer->begun + part;
	*found_ret = (struct found){0};
	for (;;) {
		struct tl_computer_position here;

		exit = tl_history_run(history, &limits);
		here = tl_computer_position(history->computer);
		if (exit == TL_COMPUTER_REACHED && tl_computer_compare(&here, &stretch->end) < 0) {
			(void)!tl_history_mark(history);
			limits.begun = history->computer->begun + part;
			continue;
		}
		if (exit != TL_COMPUTER_HALTED ||
		    (tl_computer_compare(&here, &stretch->end) >= 0 &&
		     history->computer->harts[history->computer->turn].halt != TL_HALT_WATCHPOINT))
			return exit != TL_COMPUTER_STOPPED;
		note_halt(history, found_ret);
	}
}

/* To where the halt was met, and, of an access, to before its instruction. */
static enum tl_back go_to(struct tl_history *history, const struct found *found)
{
	struct tl_computer_limits limits = TL_COMPUTER_FOREVER;
	struct tl_computer_position position = found->position;

	if (found->halt.halt == TL_HALT_WATCHPOINT)
		position.now--;
	limits.until = &position;
	/* There is one: that at which the stretch begins. */
	tl_history_restore(history, checkpoint_up_to(history, &position));
	if (!approach(history, &limits, found->begun))
		return TL_BACK_STOPPED;
	if (found->halt.halt == TL_HALT_WATCHPOINT)
		return TL_BACK_HALTED;
	/* A breakpoint may stand where an interrupt leads that has not been taken here yet. */
	limits.until = NULL;
	limits.begun = history->computer->begun + 1;
	if (tl_history_run(history, &limits) != TL_COMPUTER_HALTED)
		history->diverged = true;
	return TL_BACK_HALTED;
}

enum tl_back tl_history_continue_back(struct tl_history *history, struct tl_back_halt *halt_ret)
{
	struct stretch stretch = {tl_computer_position(history->computer), history->computer->begun};
	bool divides = true;
	struct traces traces;
	struct found found;
	tl_size index;

	*halt_ret = (struct tl_back_halt){0};
	if (history->count == 0 || history->computer->harts[0].points == NULL)
		return to_beginning(history);
	find_traces(history, &traces);
	tl_history_take_lines(history);
	while ((index = checkpoint_before(history, &stretch.end)) != NO_CHECKPOINT) {
		const struct stretch before = {history->checkpoints[index]->position,
					       history->checkpoints[index]->begun};

		if (may_hold(history, index, &traces)) {
			tl_history_restore(history, index);
			if (traces.known && divides && stretch.end_begun - before.end_begun > SHORT) {
				if (!divide(history, &stretch))
					return TL_BACK_STOPPED;
				continue;
			}
			if (!scan(history, &stretch, &found))
				return TL_BACK_STOPPED;
			if (found.any) {
				*halt_ret = found.halt;
				return go_to(history, &found);
			}
			/* What shares a line is written, or what shares a page runs: parts would be in vain, too. */
			divides = false;
		}
		stretch = before;
	}
	return to_beginning(history);
}
