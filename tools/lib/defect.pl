#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# defect.pl - reads a named defect: tools/sabotage/NAME.sabotage, for the demo,
# or tools/mutants.d/NAME.mutant, for the tests
#
#	defect.pl describe FILE		prints its line about the defect
#	defect.pl apply FILE ROOT	makes the defect in that tree
#	defect.pl machines FILE		prints those that a sabotage can be seen on
#	defect.pl applies FILE ROOT	would it? changes nothing
#	defect.pl judge FILE TAP	compares the red lines with `expect:`
#	defect.pl tests FILE		prints PROGRAM TEST of each `expect:` and
#					`survives:` of a mutant
#	defect.pl healthy FILE RUNS	are these tests there, and green?
#	defect.pl killers FILE RUNS	prints which of them noticed
#
# Such a file has
#
#	describe: what is wrong, in one line
#	expect: the beginning of a TAP line's name that must turn red
#	in: src/core/batch.c
#	-	lines as they are in that file, after the minus, found once there
#	+	lines that take their place
#
# A sabotage's `expect:` is about each machine that it can be seen on and that has
# such a line: there, a boot's must be red. `expect on pc:` and `expect on arm64:`
# are about that one alone, and a name may begin with the prefix of one boot. No
# other line may be red. A mutant's is a Check
# program and a test of it, `check_rmap: claim/the_second_owner_is_refused`; all
# of these must fail, by what they found: not by a signal, not by a time limit.
# A mutant that changes nothing has `survives:` instead. Several edits of one
# file, or of several, follow each other.

use strict;
use warnings;

my ($what, $file, $target) = @ARGV;
my ($describe, @expect, %machine_of, @survives, @edits, $path, $last);

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
	} elsif (/^expect(?: on (arm64|pc))?:\s*(.+)/) {
		push @expect, $2;
		$machine_of{$#expect} = $1;
	} elsif (/^survives:\s*(.+)/) {
		push @survives, $1;
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

# What the edited files of that tree become, by name.
sub edited
{
	my %text;

	for my $edit (@edits) {
		my $name = "$target/$edit->{path}";
		my $text = $text{$name} // slurp($name);
		my $found = () = $text =~ /^\Q$edit->{'-'}\E/mg;

		die "$file: found $found times in $edit->{path}:\n$edit->{'-'}"
		    if $found != 1;
		$text =~ s/^\Q$edit->{'-'}\E/$edit->{'+'}/m;
		$text{$name} = $text;
	}
	return %text;
}

sub apply
{
	my %text = edited();

	for my $name (keys %text) {
		open my $handle, '>', $name or die "$name: $!\n";
		print $handle $text{$name};
		close $handle or die "$name: $!\n";
	}
}

# What is built for one machine only is not seen on the other.
sub machines
{
	my %of;

	for (map { $_->{path} } @edits) {
		$of{arm64} = 1
		    unless m{backends/vtd/|pt_vtd|irq\.c|/acpi_|qemu-x86_64/};
		$of{pc} = 1
		    unless m{backends/smmu/|pt_arm|/dt_|qemu-arm64/};
	}
	return %of ? sort keys %of : ('arm64', 'pc');
}

# The machine (none for the models), the boot and the rest of a TAP line's name.
sub parts
{
	my ($name) = @_;
	my ($boot, $rest) = $name =~ /^([^\s:]+): (.*)/;

	return ('', '', $name) unless defined $boot;
	return ($boot =~ /sim$/ ? '' : $boot =~ /^pc/ ? 'pc' : 'arm64', $boot,
		$rest);
}

# Does the name of a TAP line begin with this, with or without its boot?
sub meets
{
	my ($name, $index) = @_;
	my ($machine, $boot, $rest) = parts($name);
	my $wanted = $machine_of{$index};

	return 0 if defined $wanted && $machine ne $wanted;
	return index($name, $expect[$index]) == 0 ||
	    $boot ne '' && index($rest, $expect[$index]) == 0;
}

# Machines that have such a line and no red one.
sub green_machines
{
	my ($index, $red, $all) = @_;
	my %has = map { (parts($_))[0] => 1 } grep { meets($_, $index) } @$all;
	my %seen = map { (parts($_))[0] => 1 } grep { meets($_, $index) } @$red;

	return ('anywhere') unless %seen;
	return grep { $_ ne '' && !$seen{$_} } sort keys %has;
}

sub judge
{
	my (@wrong, @red, @all, $green);

	for (split /\n/, slurp($target)) {
		if (/^not ok \d+ - (.*)/) {
			push @red, $1;
			push @all, $1;
		} elsif (/^ok \d+ - (.*)/) {
			push @all, $1;
			$green++;
		}
	}
	push @wrong, 'nothing passed: that is no catch' unless $green;
	for my $line (grep { /plan, results and exit status agree$/ } @red) {
		push @wrong, "it merely crashed: $line";
	}
	for my $index (0 .. $#expect) {
		push @wrong, "stayed green: $expect[$index]" .
		    ($_ eq 'anywhere' ? '' : ", on $_")
		    for green_machines($index, \@red, \@all);
	}
	for my $name (@red) {
		next if $name =~ /plan, results and exit status agree$/;
		push @wrong, "turned red: $name"
		    unless grep { meets($name, $_) } 0 .. $#expect;
	}
	print map { "$_\n" } @wrong;
	exit(@wrong ? 1 : 0);
}

# The programs' output, one after the other, each headed by `=run STATUS
# PROGRAM`. A hash of "PROGRAM: CASE/TEST" to ok, skipped, failed, or how it ended
# otherwise; and what is wrong with a program as a whole.
sub runs
{
	my $how = 'Received signal \d+|Test timeout|Early exit|' .
	    'the test never returned|did not run';
	my $otherwise = qr/^#\s.*($how)/;
	my (%result, @wrong, $program, $test);

	for (split /\n/, slurp($target)) {
		if (/^=run (\d+) (\S+)/) {
			($program, $test) = ($2, undef);
			push @wrong, "$program was stopped by its time limit"
			    if $1 == 124 || $1 == 137;
			push @wrong, "$program was killed by signal " . ($1 - 128)
			    if $1 > 128 && $1 != 137;
			push @wrong, "$program could not be run"
			    if $1 >= 125 && $1 <= 127;
		} elsif (/^ok \d+ - (.*?)( # SKIP.*)?$/) {
			$test = "$program: $1";
			$result{$test} = $2 ? 'skipped' : 'ok';
		} elsif (/^not ok \d+ - (.*)/) {
			$test = "$program: $1";
			$result{$test} = 'failed';
		} elsif (defined $test && $_ =~ $otherwise) {
			$result{$test} = $1;
		}
	}
	return (\%result, @wrong);
}

sub healthy
{
	my ($result, @wrong) = runs();

	for my $wanted (@expect, @survives) {
		push @wrong, "there is no such test: $wanted" unless grep {
			index($_, $wanted) == 0 && $result->{$_} ne 'skipped'
		} keys %$result;
	}
	push @wrong, map { "red without the mutant: $_" } grep {
		$result->{$_} ne 'ok' && $result->{$_} ne 'skipped'
	} sort keys %$result;
	print map { "$_\n" } @wrong;
	exit(@wrong ? 1 : 0);
}

sub killers
{
	my ($result, @wrong) = runs();
	my @red = grep { $result->{$_} eq 'failed' } sort keys %$result;
	my @ended = grep { $result->{$_} !~ /^(ok|skipped|failed)$/ }
	    sort keys %$result;
	my @killers;

	for my $expected (@expect) {
		my @these = grep { index($_, $expected) == 0 } @red;

		push @killers, @these;
		push @wrong, "did not notice: $expected" unless @these;
	}
	if (@survives) {
		push @wrong, map { "noticed what is nothing: $_" } @red, @ended;
	} elsif (@wrong) {
		push @wrong, map { "$_: $result->{$_}" } @ended;
	}
	if (@wrong) {
		print map { "$_\n" } @wrong;
		exit 1;
	}
	print @survives ? 'survives, as it should' : "killed by $killers[0]";
	print ' and ', @killers - 1, ' more' if @killers > 1;
	print "\n";
}

if ($what eq 'describe') {
	print "$describe\n";
} elsif ($what eq 'apply') {
	apply();
} elsif ($what eq 'machines') {
	print join(' ', machines()), "\n";
} elsif ($what eq 'applies') {
	edited();
} elsif ($what eq 'judge') {
	judge();
} elsif ($what eq 'tests') {
	die "$file: it has neither 'expect:' nor 'survives:', or both\n"
	    unless !@expect != !@survives;
	for (@expect, @survives) {
		/^(\w+): (\S+)$/ or die "$file: '$_' is no PROGRAM: TEST\n";
		print "$1 $2\n";
	}
} elsif ($what eq 'healthy') {
	healthy();
} elsif ($what eq 'killers') {
	killers();
} else {
	die "usage: defect.pl describe|apply|applies|machines|judge|tests|healthy|",
	    "killers FILE [ROOT|TAP|RUNS]\n";
}
