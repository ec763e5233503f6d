#!/usr/bin/perl
use strict;
use warnings;

# Counts how often each host appears in a log of requests.
my %seen;
my $lines = 0;

while (my $line = <STDIN>) {
    chomp $line;
    next if $line =~ /^\s*#/;
    my ($host, $path) = split /\s+/, $line, 3;
    next unless defined $path;
    $seen{$host}++;
    $lines++;
}

foreach my $host (sort { $seen{$b} <=> $seen{$a} || $a cmp $b } keys %seen) {
    printf "%6d  %5.1f%%  %s\n", $seen{$host}, 100 * $seen{$host} / $lines, $host;
}

sub usage {
    my ($message) = @_;
    print STDERR "$message\n" if $message;
    exit 2;
}
