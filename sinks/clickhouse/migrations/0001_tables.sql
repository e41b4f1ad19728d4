-- Rows of topics. `inserted_at` is when a row came here and decides when it goes: an import of old events is kept as long
-- as events of today. Nothing is partitioned: event times of one insert may lie decades apart, and a row that is delivered
-- twice must meet itself in a merge. Times are UTC, integers 64 bits wide; nothing is clamped on its way in.

-- Source events, as received. One row per record of the topic: time and identity follow from the record, so that
-- a record delivered again has the same key, and a topic created anew does not overwrite the rows of the old one.
CREATE TABLE IF NOT EXISTS tickets (
    topic LowCardinality(String),
    partition Int64,
    offset Int64,
    arrived_at DateTime64(3, 'UTC'),
    event_id String,
    record_id String,
    time DateTime64(3, 'UTC'),
    revision Nullable(Int64),
    updated_at Nullable(DateTime64(3, 'UTC')),
    customer String,
    touchpoint LowCardinality(String),
    channel LowCardinality(String),
    team LowCardinality(String),
    agent LowCardinality(String),
    segment LowCardinality(String),
    audience LowCardinality(String),
    source LowCardinality(String),
    change LowCardinality(String),
    priority LowCardinality(String),
    approval Nullable(Bool),
    opened_at Nullable(DateTime64(3, 'UTC')),
    reassignments Nullable(Int64),
    reopens Nullable(Int64),
    amount Nullable(Float64),
    status LowCardinality(String),
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3),
    INDEX by_customer customer TYPE bloom_filter GRANULARITY 4
) ENGINE = ReplacingMergeTree
PRIMARY KEY time
ORDER BY (time, record_id, event_id, partition, offset)
TTL toDateTime(inserted_at) + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS calls (
    topic LowCardinality(String),
    partition Int64,
    offset Int64,
    arrived_at DateTime64(3, 'UTC'),
    event_id String,
    record_id String,
    time DateTime64(3, 'UTC'),
    revision Nullable(Int64),
    updated_at Nullable(DateTime64(3, 'UTC')),
    customer String,
    touchpoint LowCardinality(String),
    channel LowCardinality(String),
    team LowCardinality(String),
    agent LowCardinality(String),
    segment LowCardinality(String),
    audience LowCardinality(String),
    source LowCardinality(String),
    outcome LowCardinality(String),
    direction LowCardinality(String),
    queue LowCardinality(String),
    wait Nullable(Float64),
    talk Nullable(Float64),
    hold Nullable(Float64),
    after_call Nullable(Float64),
    transfers Int64,
    call_id String,
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3),
    INDEX by_customer customer TYPE bloom_filter GRANULARITY 4
) ENGINE = ReplacingMergeTree
PRIMARY KEY time
ORDER BY (time, record_id, event_id, partition, offset)
TTL toDateTime(inserted_at) + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS surveys (
    topic LowCardinality(String),
    partition Int64,
    offset Int64,
    arrived_at DateTime64(3, 'UTC'),
    event_id String,
    record_id String,
    time DateTime64(3, 'UTC'),
    revision Nullable(Int64),
    updated_at Nullable(DateTime64(3, 'UTC')),
    customer String,
    touchpoint LowCardinality(String),
    channel LowCardinality(String),
    team LowCardinality(String),
    agent LowCardinality(String),
    segment LowCardinality(String),
    audience LowCardinality(String),
    source LowCardinality(String),
    survey LowCardinality(String),
    kind LowCardinality(String),
    state LowCardinality(String),
    score Nullable(UInt8),
    scale LowCardinality(String),
    program LowCardinality(String),
    comment String CODEC(ZSTD),
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3),
    INDEX by_customer customer TYPE bloom_filter GRANULARITY 4
) ENGINE = ReplacingMergeTree
PRIMARY KEY time
ORDER BY (time, record_id, event_id, partition, offset)
TTL toDateTime(inserted_at) + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS accounts (
    topic LowCardinality(String),
    partition Int64,
    offset Int64,
    arrived_at DateTime64(3, 'UTC'),
    event_id String,
    record_id String,
    time DateTime64(3, 'UTC'),
    revision Nullable(Int64),
    updated_at Nullable(DateTime64(3, 'UTC')),
    customer String,
    touchpoint LowCardinality(String),
    channel LowCardinality(String),
    team LowCardinality(String),
    agent LowCardinality(String),
    segment LowCardinality(String),
    audience LowCardinality(String),
    source LowCardinality(String),
    change LowCardinality(String),
    value Nullable(Float64),
    plan LowCardinality(String),
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3),
    INDEX by_customer customer TYPE bloom_filter GRANULARITY 4
) ENGINE = ReplacingMergeTree
PRIMARY KEY time
ORDER BY (time, record_id, event_id, partition, offset)
TTL toDateTime(inserted_at) + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 10000;

-- Cumulative partials; the highest version is the newest.
CREATE TABLE IF NOT EXISTS panes (
    published_at DateTime64(3, 'UTC'),
    cut LowCardinality(String),
    cell String,
    resolution Int64,
    start DateTime64(3, 'UTC'),
    topic LowCardinality(String),
    partition Int64,
    version Int64,
    last Map(LowCardinality(String), DateTime64(3, 'UTC')),
    counts Map(LowCardinality(String), Map(Int64, Int64)),
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3)
) ENGINE = ReplacingMergeTree(version)
ORDER BY (cut, cell, resolution, start, topic, partition)
TTL toDateTime(inserted_at) + INTERVAL 40 DAY
SETTINGS non_replicated_deduplication_window = 10000;

-- How far each source partition has been applied.
CREATE TABLE IF NOT EXISTS watermarks (
    published_at DateTime64(3, 'UTC'),
    topic LowCardinality(String),
    partition Int64,
    offset Int64,
    time Nullable(DateTime64(3, 'UTC')),
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3)
) ENGINE = ReplacingMergeTree(offset)
ORDER BY (topic, partition)
TTL toDateTime(inserted_at) + INTERVAL 40 DAY
SETTINGS non_replicated_deduplication_window = 10000;

-- Window results, one row for each end of a window: its highest revision.
CREATE TABLE IF NOT EXISTS scores (
    published_at DateTime64(3, 'UTC'),
    score LowCardinality(String),
    cut LowCardinality(String),
    cell String,
    `window` LowCardinality(String),
    start DateTime64(3, 'UTC'),
    `end` DateTime64(3, 'UTC'),
    value Nullable(Float64),
    lower Nullable(Float64),
    upper Nullable(Float64),
    n Int64,
    unit LowCardinality(String),
    counts Map(LowCardinality(String), Int64),
    revision Int64,
    final Bool,
    last_event Nullable(DateTime64(3, 'UTC')),
    owner LowCardinality(Nullable(String)),
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3)
) ENGINE = ReplacingMergeTree(revision)
ORDER BY (score, cut, cell, `window`, `end`)
TTL toDateTime(inserted_at) + INTERVAL 800 DAY
SETTINGS non_replicated_deduplication_window = 10000;

-- Churn risk of each customer, with its history.
CREATE TABLE IF NOT EXISTS risk (
    published_at DateTime64(3, 'UTC'),
    customer String,
    time DateTime64(3, 'UTC'),
    risk Nullable(Float64),
    band LowCardinality(String),
    base Float64,
    contributions Array(Tuple(feature String, value Float64, points Float64)),
    coverage Float64,
    horizon_days Int64,
    model LowCardinality(String),
    revision Int64,
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3)
) ENGINE = ReplacingMergeTree(revision)
ORDER BY (customer, time)
TTL toDateTime(inserted_at) + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 10000;

-- Dead letters, one row for each refused record and reason.
CREATE TABLE IF NOT EXISTS rejects (
    published_at DateTime64(3, 'UTC'),
    topic LowCardinality(String),
    partition Int64,
    offset Int64,
    reason LowCardinality(String),
    field LowCardinality(String),
    detail String,
    time DateTime64(3, 'UTC'),
    key String,
    payload String CODEC(ZSTD),
    encoding LowCardinality(String),
    size Int64,
    truncated Bool,
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3)
) ENGINE = ReplacingMergeTree
ORDER BY (topic, partition, offset, reason)
TTL toDateTime(inserted_at) + INTERVAL 90 DAY
SETTINGS non_replicated_deduplication_window = 10000;
