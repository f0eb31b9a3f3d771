CREATE TABLE newest (
    id uuid DEFAULT uuidv7() PRIMARY KEY,
    a integer,
    b integer GENERATED ALWAYS AS (a + 1) VIRTUAL,
    c integer CONSTRAINT loose CHECK (c > 0) NOT ENFORCED
);
INSERT INTO newest (a, c) SELECT n, -n FROM generate_series(1, 20) AS n;
ALTER TABLE newest ADD CONSTRAINT there NOT NULL a NOT VALID;
CREATE TABLE timed (id int4range, valid_at daterange, CONSTRAINT timed_key PRIMARY KEY (id, valid_at WITHOUT OVERLAPS));
INSERT INTO timed VALUES ('[1,2)', '[2024-01-01,2025-01-01)');
