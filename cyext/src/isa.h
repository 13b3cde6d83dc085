/* One C source, compiled once for every instruction-set level (deploy/packaging/isa_levels.py): what it exports is
 * named after its level by SKW_NAME. Levels: 0 portable, and where SKW_X86_LEVELS is defined 1 v2, 2 v3, 3 v4. */
#ifndef SKW_ISA_H
#define SKW_ISA_H

#define SKW_PASTE_(a, b) a##_##b
#define SKW_PASTE(a, b) SKW_PASTE_(a, b)
#ifdef SKW_ISA
#define SKW_NAME(name) SKW_PASTE(name, SKW_ISA)
#endif

/* SKW_TABLE(type, name) declares the tables name_<level> of function pointers and `name(level)`, which picks one. */
#ifdef SKW_X86_LEVELS
#define SKW_TABLE(type, table) \
    extern const type SKW_PASTE(table, portable), SKW_PASTE(table, v2), SKW_PASTE(table, v3), SKW_PASTE(table, v4); \
    static inline const type *table(int level) { \
        switch (level) { \
            case 3: return &SKW_PASTE(table, v4); \
            case 2: return &SKW_PASTE(table, v3); \
            case 1: return &SKW_PASTE(table, v2); \
            default: return &SKW_PASTE(table, portable); \
        } \
    }
#else
#define SKW_TABLE(type, table) \
    extern const type SKW_PASTE(table, portable); \
    static inline const type *table(int level) { (void)level; return &SKW_PASTE(table, portable); }
#endif

#endif
