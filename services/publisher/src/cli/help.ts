// The text of `weir-publish --help`.

export const helpText = `weir-publish: publish to a Weir cluster, and know that it was kept

  weir-publish state <channel> <key> <json>     the latest value of a key
  weir-publish state <channel> <key> --delete   the key is gone
  weir-publish critical <channel> <json>        complete and in order
  weir-publish cosmetic <channel> <json>        best effort
      <json> may be - for standard input
      --escape-key      <key> is any text, such as 1.200806927 or EUR/USD
      --id ID           safe to send again: the same id is kept once within two minutes

  weir-publish replay <file>                    lines of {"t":…,"lane":…,"channel":…,"key":…,"data":…}
      <file> may be plain, gzip or zstd (zstd from Node 22.15 on), a FIFO, or - for standard input
      --speed N         N times as fast (default 1); max: as fast as NATS acknowledges
      --max-pause TIME  longest pause between two lines, such as 500ms or 2s (default 1s)
      --unit UNIT       of "t": s, ms, us or ns (default ms, refused where "t" looks like another since 1970)
      --loop            again and again, a file only; ids get an ending of their own from the second round on
      --skip-bad        go on after lines that are not messages
      --channel-prefix TEXT   put before every channel, such as test.
      --rate N          N messages a second, whatever their times are; they need no "t"
      --dry-run         read and check all, print the first messages, publish nothing
    Records that are no messages: a text, or a path in the record that begins with a dot (.sym, .book.bids[0])
      --channel X --key X --t X   where they are; --t takes numbers in the --unit, and dates
      --data X          what is published (default: . the whole record)
      --lane X --id X   the lane (default state), and an id that makes it safe to replay again
      --csv             comma-separated values; the first line names the columns
      --columns a,b,c   names them for a file without such a line

  weir-publish restore <source>                 write back what a state stream has lost; overwrites nothing
      <source> is the admin URL of a shard (http://host:port), a file of its /lost-state, or - for standard input

  weir-publish demo [channel]                   a casino lobby that plays by itself (default channel: lobby)

  --nats URL        NATS servers, comma separated (default: WEIR_NATS_URL, else NATS_URL, else the one of a running
                    npm start, else nats://127.0.0.1:4222); WEIR_NATS_USER, _PASSWORD, _TOKEN and _CREDS_FILE are used too
  --prefix NAME     subject prefix (default: WEIR_SUBJECT_PREFIX, else weir)
  --help, --version
  Words that begin with one dash are values (-1); those that begin with two go behind a --.

Prints the stream and the sequence of what was kept, and "duplicate" where it was kept before; replay and demo
count on standard error what was kept, what were duplicates (not stored again), and what was sent (cosmetic).
Exit codes: 0 done, 1 not kept, not readable or not reachable, 2 wrong usage, 3 a replay of which nothing was
stored since all were duplicates, 130 and 143 ended by Ctrl-C or SIGTERM (a second one ends at once).
`;
