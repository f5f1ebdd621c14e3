# 011_install_script.pl
#		The install script runs as a superuser, and makes functions that run with
#		rights of their owner: rules that keep both from being led astray (those
#		of pgspot, and our own).

use strict;
use warnings;
use FindBin;
use Test::More;

my %part = map { my ($name) = m{([^/]+)$}; $name => slurp($_) } glob "$FindBin::RealBin/../../sql/parts/*.sql";
my $script = join '', map { $part{$_} } sort keys %part;

sub slurp { my ($file) = @_; local $/; open my $handle, '<', $file or die "$file: $!"; return <$handle>; }

# Comments and the text of literals say nothing; strings stay as ''
(my $code = $script) =~ s{('(?:[^']|'')*')|--[^\n]*}{defined $1 ? "''" : ''}ge;
my @statements;
{
	# a body in BEGIN ATOMIC has statements of its own
	my ($statement, $depth) = ('', 0);
	foreach my $line (split /^/, $code)
	{
		$statement .= $line;
		$depth = 1 if $line =~ /^BEGIN ATOMIC/;
		$depth = 0 if $line =~ /^END;/;
		if (!$depth && $line =~ /;\s*$/)
		{
			push @statements, $statement =~ s/^\s+//r;
			$statement = '';
		}
	}
}
cmp_ok(scalar(@statements), '>', 1000, 'the script has statements');

# Whatever is there already is not taken for ours (PS002, PS007, PS010 to PS015)
is_deeply([ grep { /\bOR\s+REPLACE\b|\bIF\s+NOT\s+EXISTS\b/i } @statements ], [], 'nothing is replaced, and nothing that is there is taken over');
is_deeply([ grep { /^\s*(DO|SET|RESET)\b/i } @statements ], [], 'no block of code, and no setting of the session (PS018)');

# Of functions, search_path is pg_catalog, pg_temp or none (PS003, PS004, PS005, PS018)
is_deeply([ grep { /search_path/i && !/SET search_path = pg_catalog, pg_temp\b/ } @statements ], [], 'no search_path but pg_catalog, pg_temp');
my (%definer, %pinned, %owned);
foreach (@statements)
{
	my ($name) = /^(?:CREATE|ALTER) FUNCTION (\w+)/ or next;
	$definer{$name} = 1 if /SECURITY DEFINER/;
	$pinned{$name} = 1 if /SET search_path/;
	$owned{$name} = 1 if /OWNER TO/;
}
cmp_ok(scalar(keys %definer), '>', 40, 'some functions run as their owner');
is_deeply([ grep { !$pinned{$_} } sort keys %definer ], [], 'each of them has a search_path of its own (PS003)');
is_deeply([ grep { !$owned{$_} } sort keys %definer ], [], 'each of them belongs to the owner of the extension, never to the bootstrap superuser');
is_deeply([ grep { /^CREATE FUNCTION/ && /LANGUAGE sql/ && !/^BEGIN ATOMIC/m && !/^\s*RETURN\b/m } @statements ], [],
	'functions in SQL are bound to what they name when they are made');

# What the script itself does, is said with the schema (PS001, PS016, PS017)
is_deeply([ grep { /^SELECT/ && !/^SELECT pg_catalog\.pg_extension_config_dump\(/ } @statements ], [], 'the script calls nothing by a name without a schema');
is_deeply([ map { (/^(\w+ ?\w*)/)[0] } grep { !/^(CREATE|ALTER|COMMENT|GRANT|REVOKE|SELECT)\b/ && !/^INSERT INTO \w+ .*VALUES/s } @statements ], [], 'nor does it do anything else');

# Tables, sequences and views
foreach my $table (sort map { /^CREATE TABLE (\w+)/ ? $1 : () } @statements)
{
	my @about = grep { /\b$table\b/ } @statements;

	ok((grep { /^ALTER TABLE $table OWNER TO \@extowner\@;/ } @about) &&
		(grep { /^ALTER TABLE $table ENABLE ROW LEVEL SECURITY;/ } @about), "table $table belongs to the owner of the extension, and has row security");
}
is_deeply([ grep { /^CREATE VIEW/ && !/^CREATE VIEW \w+ WITH \(security_invoker\)/ } @statements ], [], 'every view is read with the rights of its reader');
is_deeply([ grep { $_ ne '90-access.sql' && $part{$_} =~ /^(GRANT|REVOKE)\b/m } sort keys %part ], [], 'everything that is granted is granted in one file');
unlike($script, qr/FORCE ROW LEVEL SECURITY/, 'and the owner can dump all of it');

done_testing();
