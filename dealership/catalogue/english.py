"""What is seeded under a Chinese name and has no English one of its own: units of parts and the starting plans."""

UNITS = {
    "升": "L",
    "克": "g",
    "个": "pc",
    "支": "pc",
    "只": "pc",
    "件": "pc",
    "台": "pc",
    "块": "pc",
    "条": "pc",
    "片": "pc",
    "面": "panel",
    "瓶": "bottle",
    "套": "set",
    "对": "pair",
    "毫米": "mm",
}
PLANS = {
    "燃油车保养": "Petrol and diesel cars",
    "混合动力车保养": "Hybrids",
    "插电混动车保养": "Plug-in hybrids",
    "纯电动车保养": "Battery cars",
    "通用起始方案，以厂家维修保养手册为准": "General starting plan; the maker's service book wins",
}
