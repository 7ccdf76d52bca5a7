#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# sabotage.pl - reads tools/sabotage/NAME.sabotage
#
#	sabotage.pl describe FILE	prints its line about the defect
#	sabotage.pl apply FILE ROOT	makes the defect in that tree
#	sabotage.pl judge FILE TAP	compares the red lines with `expect:`
#
# Such a file has
#
#	describe: what is wrong, in one line
#	expect: the beginning of a TAP line's name that must turn red
#	in: src/core/batch.c
#	-	lines as they are in that file, after the minus, found once there
#	+	lines that take their place
#
# An `expect:` counts for every boot, or begins with one boot's prefix. All of
# its lines must be red and no other line may be. Several edits of one file, or
# of several, follow each other.

use strict;
use warnings;

my ($what, $file, $target) = @ARGV;
my ($describe, @expect, @edits, $path, $last);

sub slurp
{
	my ($name) = @_;

	open my $handle, '<', $name or die "$name: $!\n";
	local $/;
	return <$handle> // '';
}

for (split /\n/, slurp($file)) {
	if (/^describe:\s*(.+)/) {
		$describe = $1;
	} elsif (/^expect:\s*(.+)/) {
		push @expect, $1;
	} elsif (/^in:\s*(\S+)/) {
		$path = $1;
		$last = '';
	} elsif (/^([-+])(.*)/) {
		die "$file: an edit before any 'in:'\n" unless defined $path;
		push @edits, { path => $path, '-' => '', '+' => '' }
		    if $1 eq '-' && $last ne '-';
		die "$file: '+' without a '-' before it\n" unless @edits;
		$edits[-1]{$1} .= "$2\n";
		$last = $1;
	} elsif (!/^(#.*)?$/) {
		die "$file: what is '$_'?\n";
	} else {
		$last = '';
	}
}
die "$file: no 'describe:'\n" unless defined $describe;

sub apply
{
	for my $edit (@edits) {
		my $name = "$target/$edit->{path}";
		my $text = slurp($name);
		my $found = () = $text =~ /^\Q$edit->{'-'}\E/mg;

		die "$file: found $found times in $edit->{path}:\n$edit->{'-'}"
		    if $found != 1;
		$text =~ s/^\Q$edit->{'-'}\E/$edit->{'+'}/m;
		open my $handle, '>', $name or die "$name: $!\n";
		print $handle $text;
		close $handle or die "$name: $!\n";
	}
}

# Does the name of a TAP line begin with this, with or without its boot?
sub meets
{
	my ($name, $expected) = @_;

	return 1 if index($name, $expected) == 0;
	return $name =~ /^[^\s:]+: (.*)/ && index($1, $expected) == 0;
}

sub judge
{
	my (@wrong, @red, $green);

	for (split /\n/, slurp($target)) {
		if (/^not ok \d+ - (.*)/) {
			push @red, $1;
		} elsif (/^ok \d/) {
			$green++;
		}
	}
	push @wrong, 'nothing passed: that is no catch' unless $green;
	for my $line (grep { /plan, results and exit status agree$/ } @red) {
		push @wrong, "it merely crashed: $line";
	}
	for my $expected (@expect) {
		push @wrong, "stayed green: $expected"
		    unless grep { meets($_, $expected) } @red;
	}
	for my $name (@red) {
		next if $name =~ /plan, results and exit status agree$/;
		push @wrong, "turned red: $name"
		    unless grep { meets($name, $_) } @expect;
	}
	print map { "$_\n" } @wrong;
	exit(@wrong ? 1 : 0);
}

if ($what eq 'describe') {
	print "$describe\n";
} elsif ($what eq 'apply') {
	apply();
} elsif ($what eq 'judge') {
	judge();
} else {
	die "usage: sabotage.pl describe|apply|judge FILE [ROOT|TAP]\n";
}
