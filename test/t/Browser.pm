# Browser.pm
#		A headless Chromium, for the tests that look at pages: what they need of
#		the DevTools protocol, through a pipe and without further modules.
package Browser;

use strict;
use warnings;
use JSON::PP;
use MIME::Base64;
use POSIX ();
use PostgreSQL::Test::Utils;

# The program, if there is one
sub find
{
	foreach my $name (qw(chromium chromium-browser google-chrome))
	{
		foreach my $directory (split /:/, $ENV{PATH})
		{
			return "$directory/$name" if -x "$directory/$name";
		}
	}
	return undef;
}

# Start one, with a profile of its own in a directory that does not exist yet;
# undef if it does not come up
sub new
{
	my ($class, $program, $directory) = @_;
	my $self = bless { json => JSON::PP->new->utf8, buffer => '', events => [], id => 0 }, $class;

	# what it reads and writes are its descriptors 3 and 4
	pipe(my $its_in, $self->{out}) or die "pipe: $!";
	pipe($self->{in}, my $its_out) or die "pipe: $!";
	$self->{out}->autoflush(1);
	$self->{pid} = fork() // die "fork: $!";
	if ($self->{pid} == 0)
	{
		# out of the way first, as 3 and 4 may be the pipes themselves
		my $in = POSIX::fcntl($its_in, POSIX::F_DUPFD(), 10);
		my $out = POSIX::fcntl($its_out, POSIX::F_DUPFD(), 10);
		POSIX::dup2($in, 3);
		POSIX::dup2($out, 4);
		open STDIN, '<', '/dev/null';
		open STDOUT, '>', "$directory.log";
		open STDERR, '>&', \*STDOUT;
		$ENV{HOME} = $directory;
		# it only sees our own pages
		exec { $program } $program, qw(--headless --no-sandbox --disable-gpu --disable-dev-shm-usage --disable-quic --no-first-run
		  --disable-background-networking --disable-component-update --disable-sync --hide-scrollbars
		  --remote-debugging-pipe), "--user-data-dir=$directory", 'about:blank'
		  or POSIX::_exit(1);
	}
	close $its_in;
	close $its_out;
	local $SIG{PIPE} = 'IGNORE';
	my $target = eval { $self->call('Target.createTarget', { url => 'about:blank' }) };
	if (!$target)
	{
		warn $@;
		return undef;
	}
	$self->{session} =
	  $self->call('Target.attachToTarget', { targetId => $target->{targetId}, flatten => JSON::PP::true })->{sessionId};
	$self->call("$_.enable") foreach qw(Page Runtime Log Network);
	return $self;
}

sub DESTROY
{
	my ($self) = @_;
	my $pid = delete $self->{pid} or return;

	local $? = 0;
	kill 'KILL', $pid;
	waitpid $pid, 0;
}

# The next message; dies when there is none for too long
sub _receive
{
	my ($self) = @_;

	my $end;

	while (($end = index $self->{buffer}, "\0") < 0)
	{
		my $ready = '';
		vec($ready, fileno $self->{in}, 1) = 1;
		select($ready, undef, undef, $PostgreSQL::Test::Utils::timeout_default)
		  or die 'the browser does not answer';
		sysread($self->{in}, $self->{buffer}, 1 << 20, length $self->{buffer})
		  or die 'the browser has gone';
	}
	my $message = substr $self->{buffer}, 0, $end;
	substr($self->{buffer}, 0, $end + 1) = '';
	return $self->{json}->decode($message);
}

# Do something and return its result; what happens meanwhile is kept
sub call
{
	my ($self, $method, $params) = @_;
	my $id = ++$self->{id};
	my %message = (id => $id, method => $method, params => $params // {});

	$message{sessionId} = $self->{session} if $self->{session};
	syswrite $self->{out}, $self->{json}->encode(\%message) . "\0" or die "cannot write to the browser: $!";
	while (1)
	{
		my $answer = $self->_receive;
		if (!defined $answer->{id})
		{
			push @{ $self->{events} }, $answer;
		}
		elsif ($answer->{id} == $id)
		{
			die "$method: $answer->{error}{message}" if $answer->{error};
			return $answer->{result};
		}
	}
}

# Wait for an event
sub wait_for
{
	my ($self, $method) = @_;

	until (grep { $_->{method} eq $method } @{ $self->{events} })
	{
		push @{ $self->{events} }, $self->_receive;
	}
}

# Show a file on a screen of that width, in a colour scheme
sub open_file
{
	my ($self, $file, $width, $scheme) = @_;

	$self->{events} = [];
	$self->call('Emulation.setDeviceMetricsOverride',
		{ width => $width, height => 800, deviceScaleFactor => 1, mobile => $width < 600 ? JSON::PP::true : JSON::PP::false });
	$self->media('', $scheme);
	$self->call('Page.navigate', { url => "file://$file" });
	$self->wait_for('Page.loadEventFired');
}

sub media
{
	my ($self, $media, $scheme) = @_;

	$self->call('Emulation.setEmulatedMedia',
		{ media => $media, features => [ { name => 'prefers-color-scheme', value => $scheme } ] });
}

# The value of an expression in the page
sub value_of
{
	my ($self, $expression) = @_;
	my $result = $self->call('Runtime.evaluate', { expression => $expression, returnByValue => JSON::PP::true });

	die $result->{exceptionDetails}{exception}{description} if $result->{exceptionDetails};
	return $result->{result}{value};
}

# What a page must not do: ask the network, complain, or open a dialogue
sub complaints
{
	my ($self) = @_;
	my @complaints;

	foreach my $event (@{ $self->{events} })
	{
		my $p = $event->{params};
		if ($event->{method} eq 'Network.requestWillBeSent')
		{
			push @complaints, "requests $p->{request}{url}"
			  unless $p->{type} eq 'Document' && $p->{request}{url} =~ /^file:/ || $p->{request}{url} =~ /^data:/;
		}
		elsif ($event->{method} eq 'Log.entryAdded')
		{
			push @complaints, $p->{entry}{text};
		}
		elsif ($event->{method} =~ /^(Runtime\.(consoleAPICalled|exceptionThrown)|Page\.javascriptDialogOpening)$/)
		{
			push @complaints, $self->{json}->encode($p);
		}
	}
	return join "\n", @complaints;
}

# A picture of the whole page, or as much as a height in pixels
sub screenshot
{
	my ($self, $file, $width, $height) = @_;
	my $whole = $self->value_of('document.documentElement.scrollHeight');

	$height = $whole if !defined $height || $height > $whole;
	my $shot = $self->call('Page.captureScreenshot',
		{ format => 'png', captureBeyondViewport => JSON::PP::true, clip => { x => 0, y => 0, width => $width, height => $height, scale => 1 } });
	my $png = decode_base64($shot->{data});
	open my $out, '>:raw', $file or die "$file: $!";
	print $out $png;
	close $out or die "$file: $!";
	return length $png;
}

# How it is printed; returns the PDF
sub pdf
{
	my ($self) = @_;

	return decode_base64($self->call('Page.printToPDF', { preferCSSPageSize => JSON::PP::true })->{data});
}

1;
