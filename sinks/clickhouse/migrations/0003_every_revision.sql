-- A call record that says nothing of transfers is not one without any.
ALTER TABLE calls MODIFY COLUMN transfers Nullable(Int64);

CREATE OR REPLACE VIEW calls_latest AS
SELECT * FROM calls
ORDER BY
    record_id,
    coalesce(revision, toUnixTimestamp64Milli(updated_at), toUnixTimestamp64Milli(time)) DESC,
    arrived_at, partition, offset
LIMIT 1 BY record_id;

-- Window results as they were published, every one of them; `scores` keeps the highest revision for longer.
CREATE TABLE IF NOT EXISTS score_revisions (
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
) ENGINE = ReplacingMergeTree
ORDER BY (score, cut, cell, `window`, `end`, revision, published_at)
TTL toDateTime(inserted_at) + INTERVAL 40 DAY
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW IF NOT EXISTS score_revisions_kept TO score_revisions AS SELECT * FROM scores;

-- As known then: the newest window of each that had been published by the moment `at` (UTC), in the revision of that moment:
-- SELECT * FROM scores_as_known(at = '2026-03-01 09:00:00'). For moments more than 40 days ago there is one revision for
-- each end of a window, so one that was corrected after `at` gives way to the one before it.
CREATE OR REPLACE VIEW scores_as_known AS
SELECT
    score, cut, cell, `window`, max(s.`end`) AS `end`,
    argMax(s.start, (s.`end`, s.revision, s.published_at)) AS start,
    argMax(tuple(s.value), (s.`end`, s.revision, s.published_at)).1 AS value,
    argMax(tuple(s.lower), (s.`end`, s.revision, s.published_at)).1 AS lower,
    argMax(tuple(s.upper), (s.`end`, s.revision, s.published_at)).1 AS upper,
    argMax(s.n, (s.`end`, s.revision, s.published_at)) AS n,
    argMax(s.unit, (s.`end`, s.revision, s.published_at)) AS unit,
    argMax(s.counts, (s.`end`, s.revision, s.published_at)) AS counts,
    argMax(s.revision, (s.`end`, s.revision, s.published_at)) AS revision,
    argMax(s.final, (s.`end`, s.revision, s.published_at)) AS final,
    argMax(tuple(s.last_event), (s.`end`, s.revision, s.published_at)).1 AS last_event,
    argMax(tuple(s.owner), (s.`end`, s.revision, s.published_at)).1 AS owner,
    argMax(s.published_at, (s.`end`, s.revision, s.published_at)) AS published_at
FROM (SELECT * FROM scores UNION ALL SELECT * FROM score_revisions) AS s
WHERE s.published_at <= {at:DateTime64(3, 'UTC')}
GROUP BY score, cut, cell, `window`;
