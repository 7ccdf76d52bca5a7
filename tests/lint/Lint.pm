# SPDX-License-Identifier: BSD-2-Clause
#
# Lint.pm - what the lints written in Perl have in common
#
# A lint takes the root of a source tree (default: its own) and prints TAP: a
# line per rule, with what breaks it as comments.
package Lint;

use strict;
use warnings;
use Exporter 'import';
use File::Basename;
use File::Find;

our @EXPORT = qw(root slurp sources report finish code_of
		 declared_functions);

my ($number, $failed) = (0, 0);

sub root
{
	my $root = $ARGV[0] // dirname($0) . '/../..';

	chdir $root or die "$root: $!\n";
}

sub slurp
{
	my ($file) = @_;

	open my $handle, '<', $file or die "$file: $!\n";
	local $/;
	return <$handle> // '';
}

# Files of the tree that people write, relative to its root.
sub sources
{
	my ($pattern) = @_;
	my @found;
	my $visit = sub {
		if (-d && /^(\.git|_build.*|build|build-aux|m4|\.deps|\.libs|autom4te\.cache|iommuabs-[0-9].*)$/) {
			$File::Find::prune = 1;
			return;
		}
		(my $name = $File::Find::name) =~ s{^\./}{};
		push @found, $name if -f && $name =~ $pattern;
	};

	find($visit, '.');
	return sort @found;
}

# C without comments and strings, lines kept.
sub code_of
{
	my ($text) = @_;

	$text =~ s{(/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')}
		  {my $gone = $1; (my $lines = $gone) =~ tr/\n//cd;
		   ($gone =~ m{^/} ? ' ' : $gone =~ /^"/ ? '""' : "' '") . $lines}gse;
	return $text;
}

# Names of the functions that a public header declares and does not define.
sub declared_functions
{
	my ($text) = @_;
	my $code = code_of($text);
	my @names;

	$code =~ s/^[ \t]*#(?:.*\\\n)*.*//mg;
	while ($code =~ m{^(?!\s*typedef)[^;{}]*?\b(iommuabs_\w+)\s*\([^;{}]*\)\s*;}mg) {
		push @names, $1;
	}
	return @names;
}

sub report
{
	my ($rule, @violations) = @_;

	$number++;
	$failed++ if @violations;
	print((@violations ? 'not ok' : 'ok') . " $number - $rule\n");
	print "#   $_\n" for @violations;
}

sub finish
{
	print "1..$number\n";
	exit($failed ? 1 : 0);
}

1;
