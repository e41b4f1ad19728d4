-- What to query. A table may hold a row twice until its parts have merged; a view never shows it twice. Views group instead
-- of using FINAL, which is many times slower on parts that are not merged, and filters on the grouping columns reach the table.

-- Each change of a ticket once, in its newest version: revision, else updated_at, else time; of equals the first to arrive.
CREATE OR REPLACE VIEW tickets_latest AS
SELECT * FROM tickets
ORDER BY
    record_id, event_id,
    coalesce(revision, toUnixTimestamp64Milli(updated_at), toUnixTimestamp64Milli(time)) DESC,
    arrived_at, partition, offset
LIMIT 1 BY record_id, event_id;

-- Each call record once, in its newest version.
CREATE OR REPLACE VIEW calls_latest AS
SELECT * FROM calls
ORDER BY
    record_id,
    coalesce(revision, toUnixTimestamp64Milli(updated_at), toUnixTimestamp64Milli(time)) DESC,
    arrived_at, partition, offset
LIMIT 1 BY record_id;

-- Each survey once, in its newest version; of equals the furthest state, invited < declined < answered.
CREATE OR REPLACE VIEW surveys_latest AS
SELECT * FROM surveys
ORDER BY
    record_id,
    coalesce(revision, toUnixTimestamp64Milli(updated_at), toUnixTimestamp64Milli(time)) DESC,
    indexOf(['invited', 'declined', 'answered'], state) DESC,
    arrived_at, partition, offset
LIMIT 1 BY record_id;

-- Each change of an account once, in its newest version.
CREATE OR REPLACE VIEW accounts_latest AS
SELECT * FROM accounts
ORDER BY
    record_id, event_id,
    coalesce(revision, toUnixTimestamp64Milli(updated_at), toUnixTimestamp64Milli(time)) DESC,
    arrived_at, partition, offset
LIMIT 1 BY record_id, event_id;

-- Every window that was published, once for each of its ends, in its highest revision.
CREATE OR REPLACE VIEW scores_history AS
SELECT
    score, cut, cell, `window`, `end`,
    argMax(s.start, (s.revision, s.published_at)) AS start,
    argMax(tuple(s.value), (s.revision, s.published_at)).1 AS value,
    argMax(tuple(s.lower), (s.revision, s.published_at)).1 AS lower,
    argMax(tuple(s.upper), (s.revision, s.published_at)).1 AS upper,
    argMax(s.n, (s.revision, s.published_at)) AS n,
    argMax(s.unit, (s.revision, s.published_at)) AS unit,
    argMax(s.counts, (s.revision, s.published_at)) AS counts,
    argMax(s.revision, (s.revision, s.published_at)) AS revision,
    argMax(s.final, (s.revision, s.published_at)) AS final,
    argMax(tuple(s.last_event), (s.revision, s.published_at)).1 AS last_event,
    argMax(tuple(s.owner), (s.revision, s.published_at)).1 AS owner,
    argMax(s.published_at, (s.revision, s.published_at)) AS published_at
FROM scores AS s
GROUP BY score, cut, cell, `window`, `end`;

-- The current result of each score, cell and window.
CREATE OR REPLACE VIEW scores_latest AS
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
FROM scores AS s
GROUP BY score, cut, cell, `window`;

-- As known then: the newest window of each that had been published, in its highest revision, by the moment `at` (UTC):
-- SELECT * FROM scores_as_known(at = '2026-03-01 09:00:00'). History keeps one revision for each end of a window, so a
-- window that was corrected after `at` gives way to the one before it.
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
FROM scores_history AS s
WHERE s.published_at <= {at:DateTime64(3, 'UTC')}
GROUP BY score, cut, cell, `window`;

-- The current risk of each customer.
CREATE OR REPLACE VIEW risk_latest AS
SELECT * FROM risk
ORDER BY customer, revision DESC, time DESC, published_at DESC
LIMIT 1 BY customer;

-- Each refused record once for each reason.
CREATE OR REPLACE VIEW rejects_latest AS
SELECT * FROM rejects
ORDER BY topic, partition, offset, reason, published_at DESC
LIMIT 1 BY topic, partition, offset, reason;

-- Each partial once, in its newest version.
CREATE OR REPLACE VIEW panes_latest AS
SELECT * FROM panes
ORDER BY cut, cell, resolution, start, topic, partition, version DESC
LIMIT 1 BY cut, cell, resolution, start, topic, partition;

-- How far each source partition has been applied.
CREATE OR REPLACE VIEW watermarks_latest AS
SELECT * FROM watermarks
ORDER BY topic, partition, offset DESC
LIMIT 1 BY topic, partition;
