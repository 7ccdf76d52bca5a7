#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# test-cases.pl - which test of a Check program is in which of its cases?
#
# usage: test-cases.pl SOURCE...	of one program
#
# Prints CASE/TEST of each, read from how the suite is put together: a case is
# named where it is made, or by who calls the function that makes it; a test is
# added by name, or by an array of them. What can't be told so is in any case.

use strict;
use warnings;

my (%value, %makes, %array, @added, %case);

sub text_of
{
	my ($file) = @_;

	open my $handle, '<', $file or die "$file: $!\n";
	local $/;
	my $text = <$handle> // '';
	$text =~ s{/\*.*?\*/}{ }gs;
	return $text;
}

# A function's head and body, each from where a line begins to a brace that does.
sub functions
{
	my ($text) = @_;
	my @found;

	while ($text =~ /^\w[\w\s*]*?\b(\w+)\(([^;{}]*?)\)\s*\{(.*?)^\}/gms) {
		push @found, [ $1, $2, $3 ];
	}
	return @found;
}

sub parameters
{
	my ($head) = @_;

	return map { /(\w+)\W*$/ ? $1 : '' } split /,/, $head;
}

# What an argument may be: a name, or whatever a variable is at that moment.
sub names
{
	my ($function, $argument) = @_;

	return $1 if $argument =~ /^\s*"([^"]*)"\s*$/;
	return @{ $value{"$function $1"} // [] } if $argument =~ /^\s*(\w+)\s*$/;
	return;
}

sub add_value
{
	my ($key, @names) = @_;
	my %is = map { $_ => 1 } @{ $value{$key} // [] };
	my @new = grep { !$is{$_} } @names;

	push @{ $value{$key} }, @new;
	return @new > 0;
}

# One function, in the order of its text. Returns whether anything was learnt.
sub read_function
{
	my ($functions, $name, $body, $record) = @_;
	my $learnt = 0;

	# A call's arguments are looked at, too: they may be calls.
	while ($body =~ /(?:(\w+)\s*=\s*)?\b(\w+)(?=(\((?:[^()]++|(?3))*\)))/g) {
		my ($to, $called, $text) = ($1, $2, substr $3, 1, -1);
		my @arguments = split /,/, $text;
		my $callee = $functions->{$called};

		if ($called eq 'tcase_create') {
			my @names = names($name, $text);

			$value{"$name $to"} = [@names] if defined $to;
			$learnt |= add_value("made $name", @names);
			$case{$_} = 1 for @names;
		} elsif ($called =~ /^tcase_add_\w*test/ && @arguments > 1) {
			my ($test) = $arguments[1] =~ /(\w+)/;

			push @$record, [ $test, names($name, $arguments[0]) ];
		} elsif ($callee) {
			my @parameters = parameters($callee->[1]);

			for my $i (0 .. $#parameters) {
				next if $i > $#arguments;
				$learnt |= add_value(
					"$called $parameters[$i]",
					names($name, $arguments[$i]));
			}
			# It returns a case that was made by a name of ours.
			next if !defined $to || $callee->[2] !~ /tcase_create/;
			my @made = map { names($name, $_) } @arguments;
			$value{"$name $to"} = @made ? [@made]
			    : $value{"made $called"} // [];
		}
	}
	return $learnt;
}

my $text = join "\n", map { text_of($_) } @ARGV;
my @functions = functions($text);
my %functions = map { $_->[0] => $_ } @functions;
my $learnt;

while ($text =~ /\b(\w+)\[\]\s*=\s*\{([^{}]*)\}/g) {
	push @{ $array{$1} }, $2 =~ /\b([a-z]\w+)\b/g;
}
do {
	$learnt = 0;
	@added = ();
	$learnt |= read_function(\%functions, $_->[0], $_->[2], \@added)
	    for @functions;
} while ($learnt);

my %told;
for (@added) {
	my ($test, @names) = @$_;

	for my $one ($array{$test} ? @{ $array{$test} } : $test) {
		$told{$one} = 1 if @names;
		print "$_/$one\n" for @names;
	}
}
while ($text =~ /START_TEST\((\w+)\)/g) {
	my $test = $1;

	next if $told{$test};
	print "$_/$test\n" for sort keys %case;
}
