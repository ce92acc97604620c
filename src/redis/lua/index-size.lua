-- KEYS: state, summaries (see index-put). Returns how many anomalies are held, and their bytes.
return { redis.call('HLEN', KEYS[2]), tonumber(redis.call('HGET', KEYS[1], 'bytes') or 0) }
