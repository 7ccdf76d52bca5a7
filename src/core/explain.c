/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * explain.c - what stands between a device and a frame
 *
 * The answer comes from what hardware reads: the live stream entry, then the
 * live table, a shared p2m included. The library's records only say what should
 * have been found there.
 */
#include "core.h"
#include "enter.h"

/* One question, for one stream range of the device. */
struct question {
	struct iommuabs_device *dev;
	const struct device_stream *stream;
	struct iommuabs_domain *dom; /* gate entered; NULL: not attached */
	bool attaching;		     /* not yet, that is */
	uint64_t gfn;
	uint32_t access;
	struct iommuabs_explanation *why;
};

static enum iommuabs_obstacle unit_obstacle(const struct iommuabs_unit *unit)
{
	switch (unit_status(unit)) {
	case IOMMUABS_UNIT_RUNNING:
		return IOMMUABS_OBSTACLE_NONE;
	case IOMMUABS_UNIT_NO_DRIVER:
		return IOMMUABS_OBSTACLE_NO_DRIVER;
	case IOMMUABS_UNIT_FENCED:
	case IOMMUABS_UNIT_DEAD:
		return IOMMUABS_OBSTACLE_FENCED;
	default:
		return IOMMUABS_OBSTACLE_NOT_STARTED;
	}
}

static bool tables_equal(const struct backend_table *live,
			 const struct backend_table *table)
{
	return live->format == table->format && live->root == table->root &&
	       (!live->input_bits || live->input_bits == table->input_bits) &&
	       live->granule_lg2 == table->granule_lg2 &&
	       live->levels == table->levels && live->id == table->id;
}

static enum iommuabs_obstacle entry_obstacle(const struct question *ask)
{
	struct iommuabs_unit *unit = ask->stream->unit;
	const struct binding *binding = ask->dom ? ask->stream->binding : NULL;
	struct backend_stream live;

	unit->hw.ops->read_stream(&unit->hw, ask->why->stream, &live);
	if (!binding && live.kind != BACKEND_STREAM_BLOCKED)
		return IOMMUABS_OBSTACLE_ENTRY;
	if (!binding)
		return ask->attaching ? IOMMUABS_OBSTACLE_ATTACHING
				      : IOMMUABS_OBSTACLE_NOT_ATTACHED;
	if (live.kind == BACKEND_STREAM_BLOCKED &&
	    (port_load32(&ask->stream->quiet) & STREAM_CUT_OFF))
		return IOMMUABS_OBSTACLE_QUARANTINED;
	if (live.kind == BACKEND_STREAM_BLOCKED &&
	    binding->view->kind == VIEW_SHARED && ask->dom->nr_bad)
		return IOMMUABS_OBSTACLE_BLOCKED;
	if (live.kind != BACKEND_STREAM_TABLE ||
	    !tables_equal(&live.table, &binding->table))
		return IOMMUABS_OBSTACLE_ENTRY;
	return IOMMUABS_OBSTACLE_NONE;
}

/* The p2m as a table of ours would be. False: not a format that is read here. */
static bool shared_table(const struct binding *binding, struct pt *pt)
{
	const struct backend_table *table = &binding->table;
	const struct pt_ops *ops = backend_table_format(table);
	uint32_t below;

	if (!ops || (table->root & (IOMMUABS_FRAME_SIZE - 1)))
		return false;
	below = ops->granule_lg2 +
		(ops->granule_lg2 - 3u) * (table->levels - 1u);
	*pt = (struct pt){
		.ops = ops,
		.host = &binding->unit->abs->host,
		.root = table->root,
		.granule_lg2 = table->granule_lg2,
		.top = (uint8_t)(table->levels - 1),
		.root_lg2 = (uint8_t)IA_MAX(table->input_bits - below + 3, 12u),
		.in_bits = table->input_bits,
		.out_bits = table->output_bits,
		.leaf_mask = 1,
		.bbml = 2, /* no entry of the host's is a broken leaf */
	};
	return true;
}

/* What the ledger says about a gfn that the live table lacks. */
static enum iommuabs_obstacle ledger_obstacle(const struct question *ask)
{
	const struct pt *ledger = &ask->dom->ledger;
	struct pt_leaf leaf;

	if (ask->gfn >> (ledger->in_bits - IOMMUABS_FRAME_LG2) ||
	    !ledger->ops->lookup(ledger, ask->gfn, &leaf))
		return IOMMUABS_OBSTACLE_NOT_MAPPED;
	if ((leaf.attr & PT_LEDGER_STATE) != PT_LEDGER_MAPPED)
		return IOMMUABS_OBSTACLE_WITHHELD;
	return IOMMUABS_OBSTACLE_NOT_IN_TABLE;
}

static enum iommuabs_obstacle table_obstacle(const struct question *ask)
{
	const struct binding *binding = ask->stream->binding;
	const struct view *view = binding->view;
	struct pt pt = view->pt;
	struct pt_leaf leaf;
	bool mapped;

	ask->why->shared = view->kind == VIEW_SHARED;
	if (ask->gfn >> (binding->table.input_bits - IOMMUABS_FRAME_LG2))
		return IOMMUABS_OBSTACLE_TOO_WIDE;
	if (view->kind == VIEW_SHARED && !shared_table(binding, &pt))
		return ledger_obstacle(ask);
	mapped = pt.ops->lookup(&pt, ask->gfn, &leaf);
	ask->why->level = leaf.level;
	ask->why->entry = leaf.entry;
	if (!mapped)
		return ledger_obstacle(ask);
	if (view->scratch &&
	    leaf.out >> (view->key.granule_lg2 - IOMMUABS_FRAME_LG2) ==
		    view->scratch >> view->key.granule_lg2) {
		ask->why->mfn = IOMMUABS_MFN(leaf.out);
		return IOMMUABS_OBSTACLE_SCRATCH;
	}
	if (ask->access & ~leaf.attr & IOMMUABS_READ)
		return IOMMUABS_OBSTACLE_READ_DENIED;
	if (ask->access & ~leaf.attr & IOMMUABS_WRITE)
		return IOMMUABS_OBSTACLE_WRITE_DENIED;
	ask->why->mfn = IOMMUABS_MFN(leaf.out);
	return IOMMUABS_OBSTACLE_NONE;
}

static enum iommuabs_obstacle stream_obstacle(const struct question *ask)
{
	enum iommuabs_obstacle obstacle = unit_obstacle(ask->stream->unit);

	if (!obstacle)
		obstacle = entry_obstacle(ask);
	if (!obstacle)
		obstacle = table_obstacle(ask);
	return obstacle;
}

static const char *obstacle_text(enum iommuabs_obstacle obstacle)
{
	static const char texts[][48] = {
		[IOMMUABS_OBSTACLE_NONE] = "the access goes through",
		[IOMMUABS_OBSTACLE_NO_UNIT] = "no unit sees it: not confined",
		[IOMMUABS_OBSTACLE_NO_DRIVER] = "its unit has no driver",
		[IOMMUABS_OBSTACLE_NOT_STARTED] = "its unit is not enabled",
		[IOMMUABS_OBSTACLE_FENCED] = "its unit is fenced",
		[IOMMUABS_OBSTACLE_NOT_ATTACHED] = "it is not attached",
		[IOMMUABS_OBSTACLE_BLOCKED] = "blocked by a failed refresh",
		[IOMMUABS_OBSTACLE_ENTRY] = "its stream entry is not ours",
		[IOMMUABS_OBSTACLE_TOO_WIDE] = "past the input width",
		[IOMMUABS_OBSTACLE_NOT_MAPPED] = "nothing is mapped there",
		[IOMMUABS_OBSTACLE_WITHHELD] = "removed, not yet invalidated",
		[IOMMUABS_OBSTACLE_READ_DENIED] = "not readable",
		[IOMMUABS_OBSTACLE_WRITE_DENIED] = "not writable",
		[IOMMUABS_OBSTACLE_NOT_IN_TABLE] =
			"mapped, and not in the live table",
		[IOMMUABS_OBSTACLE_QUARANTINED] = "in quarantine",
		[IOMMUABS_OBSTACLE_SCRATCH] = "all it sees is a scratch page",
		[IOMMUABS_OBSTACLE_ATTACHING] =
			"still being attached, its table is filled",
	};

	return texts[obstacle];
}

static void explain_text(const struct question *ask)
{
	const struct iommuabs_device *dev = ask->dev;
	struct iommuabs_explanation *why = ask->why;
	char group[24] = "";
	uint32_t i, nr = 0;

	for (i = 0; i < dev->nr_streams; i++)
		nr += dev->streams[i].nr;
	if (dev->topology && nr > 1)
		hostif_format(group, sizeof(group), " of a group of %u", nr);
	hostif_format(
		why->text, sizeof(why->text), "gfn %llx, stream %x%s%s: %s",
		(unsigned long long)ask->gfn, why->stream, group,
		why->shared ? ", shared" : "", obstacle_text(why->obstacle));
}

/* The first obstacle that any of the device's stream ranges meets. */
static void explain_streams(struct question *ask)
{
	const struct iommuabs_device *dev = ask->dev;
	struct iommuabs_explanation *why = ask->why;
	uint32_t i, pos, nr;

	why->obstacle = IOMMUABS_OBSTACLE_NO_UNIT;
	for (i = 0; i < dev->nr_streams; i++) {
		ask->stream = &dev->streams[i];
		pos = 0;
		/* All of it may have been carved out. */
		if (!device_next_piece(dev, ask->stream, &pos, &why->stream,
				       &nr))
			continue;
		why->obstacle = stream_obstacle(ask);
		if (why->obstacle)
			return;
	}
}

/* The domain that @dev is attached to, its gate entered; or NULL, and whether it
 * is on its way there. */
static struct iommuabs_domain *domain_of(struct iommuabs_device *dev,
					 bool *attaching)
{
	struct iommuabs *abs = dev->abs;
	struct iommuabs_domain *dom = NULL, *now;

	for (;;) {
		ia_lock(&abs->host, &abs->lock);
		now = dev->state == DEVICE_ATTACHED ? dev->dom : NULL;
		*attaching = dev->state == DEVICE_ATTACHING;
		ia_unlock(&abs->host, &abs->lock);
		if (dom == now)
			return dom;
		/* It went somewhere else before the gate was ours. */
		if (dom)
			domain_leave(dom);
		if (now)
			domain_enter(now);
		dom = now;
	}
}

void explain_access(struct iommuabs_device *dev, uint64_t gfn, uint32_t access,
		    struct iommuabs_explanation *why)
{
	struct question ask = {
		.dev = dev,
		.gfn = gfn,
		.access = access,
		.why = why,
	};

	instance_enter(dev->abs);
	ask.dom = domain_of(dev, &ask.attaching);
	explain_streams(&ask);
	explain_text(&ask);
	if (ask.dom)
		domain_leave(ask.dom);
	instance_leave(dev->abs);
}
