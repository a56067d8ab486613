"""Customers of the sample world, in the scripts and with the punctuation real customer lists have.

All of them are invented.
"""

# ruff: noqa: RUF001 each name is in its own script
# name, ISO 3166 country, city, postal code
CUSTOMER_NAMES: tuple[tuple[str, str, str, str], ...] = (
    ("Aegean Logistics S.A.", "GR", "Piraeus", "18535"),
    ("Ελληνικά Ναυπηγεία Σύρου Α.Ε.", "GR", "Ερμούπολη", "84100"),
    ("Müller & Söhne Maschinenbau GmbH", "DE", "Stuttgart", "70173"),
    ("Brightwater Dental, Ltd.", "IE", "Cork", "T12 X2K9"),
    ("Société Générale des Vergers", "FR", "Angers", "49000"),
    ("Łódzka Fabryka Mebli Sp. z o.o.", "PL", "Łódź", "90-001"),
    ("Φαρμακείο «Η Υγεία» Ο.Ε.", "GR", "Θεσσαλονίκη", "54622"),
    ('Trattoria "Da Nonna" S.r.l.', "IT", "Bologna", "40121"),
    ("株式会社さくら商事", "JP", "東京", "100-0001"),
    ("Åkerlund Fastigheter AB", "SE", "Malmö", "211 20"),
    ("Niño Óptica, S.L.", "ES", "Sevilla", "41001"),
    ("Κυπριακή Ναυτιλιακή Λτδ", "CY", "Λεμεσός", "3030"),
    ("شركة النخيل للتجارة", "AE", "دبي", "00000"),
    ("Zagrebačka tvornica čokolade d.d.", "HR", "Zagreb", "10000"),
    ("Van den Berg Bloemen B.V.", "NL", "Aalsmeer", "1431"),
    ("Çelik İnşaat A.Ş.", "TR", "İzmir", "35210"),
    ("O'Connor Veterinary Practice", "IE", "Galway", "H91 E2K3"),
    ("Южен Бряг ООД", "BG", "Варна", "9000"),
    ("Öz-Türk Lebensmittel KG", "AT", "Linz", "4020"),
    ("גלבוע מערכות בע״מ", "IL", "חיפה", "3100001"),
    ("Casa de Vinhos do Douro, Lda.", "PT", "Porto", "4000-010"),
    ("Ștefănescu și Asociații SRL", "RO", "Cluj-Napoca", "400001"),
    ("北京云杉科技有限公司", "CN", "北京", "100000"),
    ("Nordlys Kraftlag SA", "NO", "Tromsø", "9008"),
)
