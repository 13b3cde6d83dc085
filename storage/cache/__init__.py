"""Latest values kept near: in the process, or in a Redis that the replicas of a service share.

A cache is never the truth: whatever is in it can be had again from the database, and may be gone at any time.
"""

from skewline.storage.cache.in_process import InProcessCache
from skewline.storage.cache.interface import Cache
from skewline.storage.cache.opening import open_cache
from skewline.storage.cache.redis import RedisCache

__all__ = ["Cache", "InProcessCache", "RedisCache", "open_cache"]
