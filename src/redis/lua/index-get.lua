-- One anomaly. KEYS: summaries, feedback (see index-put). ARGV: id. Returns summary and feedback, or nothing for either.
return { redis.call('HGET', KEYS[1], ARGV[1]) or '', redis.call('HGET', KEYS[2], ARGV[1]) or '' }
