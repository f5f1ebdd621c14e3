-- sharecollab: share, meter, bill and credit compute, data and models.
--
-- The install script is made of the files in sql/parts, in order of name.
-- Nothing here says OR REPLACE or IF NOT EXISTS: an object that was there
-- before must never become ours.

\echo Use "CREATE EXTENSION sharecollab" to load this file. \quit

