SELECT namespace.nspname, relation.relname, sequence.seqcycle
  FROM pg_catalog.pg_sequence AS sequence
  JOIN pg_catalog.pg_class AS relation ON relation.oid = sequence.seqrelid
  JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = relation.relnamespace
 WHERE relation.relpersistence <> 't'
   AND namespace.nspname <> 'information_schema'
   AND namespace.nspname !~ '^pg_'
   -- No dump holds those of an extension, nor those of the columns of its tables.
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS member
                    WHERE member.classid = 'pg_catalog.pg_class'::regclass AND member.deptype = 'e'
                      AND (member.objid = relation.oid
                           OR member.objid IN (SELECT owner.refobjid FROM pg_catalog.pg_depend AS owner
                                                WHERE owner.classid = 'pg_catalog.pg_class'::regclass
                                                  AND owner.objid = relation.oid
                                                  AND owner.refclassid = 'pg_catalog.pg_class'::regclass
                                                  AND owner.deptype IN ('a', 'i'))))
 ORDER BY namespace.nspname, relation.relname
