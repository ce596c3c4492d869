#include "guards/injection_tables.h"

const struct injection_class injection_classes[] = {
    {"IGN",
     "ignore disregard forget override bypass discard neglect circumvent overrule supersede "
     "erase unlearn scrap "
     "ignoriere ignorieren ignoriert ignorier missachte missachten vergiss vergessen vergesst "
     "ubergehe verwirf umgehe "
     "ignorez ignores oublie oubliez oublier negligez ecarte contourne contournez "
     "ignora ignorar ignoren olvida olvide olviden olvidar olvidate omite desestima descarta "
     "ignori ignorate ignorare dimentica dimenticate dimenticare scorda tralascia trascura "
     "esqueca esquece esquecer ignorem desconsidere descarte desobedeca "
     "negeer negeert vergeet sla "
     "zignoruj zignorowac zignorujcie ignoruj ignorowac zapomnij zapomniec pomin pomijaj "
     "игнорируй игнорируйте проигнорируй проигнорируйте забудь забудьте отбрось "
     "تجاهل تجاهلي تجاهلوا انس انسى انسوا تخط اهمل "
     "忽略 无视 忘记 忘掉 忽視 無視 忘记掉 不要理会 抛开 不理会 忘れて 忘れろ 無視して 無視しろ "
     "무시하고 무시해 무시하세요 무시하라 무시하십시오 잊어 잊으세요 잊고 "
     "yoksay goz-ardi unut unutun gormezden"},
    {"IGNL",
     "yoksay say unut unutun gormezden et "
     "無視して 無視しろ 無視し 忘れて 忘れろ 無効 무시하고 무시해* 무시하* 잊어* 잊고 잊으* 무시 "
     "忽略 无视 忘记"},
    {"IGN2", "ignoring ignored disregarding disregarded overriding overridden bypassing forgetting "
             "superseded superseding "
             "supersedes overrides cancel cancelled void invalid obsolete revoked deleted "
             "outdated expired suspended lifted removed disabled replaced deprecated nullified"},
    {"NOTW", "not don't dont never stop cease quit no longer without refuse"},
    {"FOLLOW", "follow obey following obeying adhere comply heed listen respect apply honor honour "
               "befolge folge folgen suis suivez suivre sigue seguir siga segui seguire volg"},
    {"PREV", "previous previously prior above earlier preceding foregoing former initial original "
             "originally past existing before current last first old "
             "vorherig* vorangegangen* bisherig* vorig* fruher* obig* obenstehend* zuvor "
             "ursprunglich* bestehend* oben vorhergehend* "
             "precedent* anterieur* ci-dessus initiale* initiaux dessus precedemment avant "
             "anterior* previa* previo* arriba inicial* antes iniciais acima prima "
             "iniziali iniziale originali sopra "
             "vorige eerdere voorgaande bovenstaande voorafgaande oorspronkelijke hiervoor "
             "poprzedni* wczesniejsz* powyzsz* dotychczasow* pierwotn* "
             "предыдущ* прежн* вышеизложенн* выше ранее прошл* предшеств* первоначальн* "
             "السابقة السابق السابقه اعلاه قبل الاصلية السابقين "
             "之前 以前 以上 上述 先前 前面 此前 上面 前の これまで 上記 先の 今まで 直前 "
             "이전 이전의 위의 앞선 기존 지금까지의 앞의 "
             "onceki daha yukaridaki onceden"},
    {"ALL",
     "all any every everything anything whatever entire whole each alle alles allen samtlich* "
     "tous toutes tout todas todos todo toda cualquier tutte tutti tutto wszystkie wszystko "
     "wszelkie все всё всех любые جميع كل 所有 一切 全部 すべて 全て 全ての 모든 모두 tum butun"},
    {"YOUR", "your yours own ihre deine deinen dein ihren eure tes votre vos ton tus sus tu tuas "
             "suas teus seus tue vostre vostri jouw uw je swoje twoje твои ваши свои 你 你的 您 "
             "您的 あなたの "
             "너의 당신의 senin sizin"},
    {"INSTR",
     "instruction instructions instruct* prompt prompts directive directives guideline "
     "guidelines rule rules command commands constraint constraints restriction "
     "restrictions safeguard* programming guardrail* "
     "policies protocols filters safety training preprompt sysprompt "
     "anweisung* regel regeln vorgaben vorgabe instruktion* richtlinie* befehl* "
     "anleitung* einschrankung* beschrankung* systemprompt* aufforderung* systemanweisung* "
     "instrucciones instruccion reglas regla consignes consigne regles directives "
     "directrices indicaciones ordenes restricciones "
     "instrucoes instrucao regras regra diretrizes orientacoes restricoes comandos "
     "istruzioni istruzione regole regola direttive indicazioni comandi restrizioni "
     "instructies instructie opdrachten regels richtlijnen aanwijzingen beperkingen "
     "instrukcje instrukcji polecenia polecen reguly regul wytyczne zasady zalecenia "
     "ograniczenia "
     "инструкци* указани* правил* команд* директив* ограничени* промпт* распоряжени* "
     "تعليمات التعليمات تعليماتك قواعد القواعد قواعدك الاوامر اوامر توجيهات التوجيهات "
     "指令 指示 规则 規則 命令 说明 提示 提示词 要求 限制 ルール 制約 設定 プロンプト "
     "지시* 명령* 규칙* 지침* 프롬프트* 제한* "
     "talimat* komut* kural* yonerge* kisitlama*"},
    {"TOLD", "told said instructed asked given taught learned learnt programmed trained configured "
             "received read"},
    {"SYS",
     "system systems hidden secret internal developer confidential initial original "
     "system's preamble pre-prompt underlying system-prompt secrets "
     "systeem systeme sistema systemu систем* системн* 系统 系統 システム 시스템* sistem* النظام "
     "versteckt* geheim* interne* intern* ukryt* verborgen oculto oculta ocultas secretas "
     "cachees segrete nascoste segreto скрыт* секретн* внутренн* 隐藏 内部 秘密 初期 gizli "
     "systemowy systemowe systemowych السرية المخفية الداخلية"},
    {"PROMPT",
     "prompt prompts prompt's instruction instructions message guidelines configuration "
     "config directives rules systemprompt* preamble context promptu prompta "
     "anweisung* instruktion* nachricht instrucciones consignes instrucoes istruzioni "
     "instructies instrukcje instrukcji промпт* инструкци* 提示 提示词 指令 提示詞 指示 プロンプト "
     "프롬프트* 지시* 지침* talimat* istem* التعليمات تعليمات تعليماتك mensagem mensaje messaggio "
     "regeln reglas regole regles regras prompts"},
    {"SHOW", "reveal show print output display repeat tell give leak disclose dump expose recite "
             "share paste "
             "echo list summarize summarise translate write copy return quote describe "
             "provide reproduce spill send state type publish restate transcribe paraphrase "
             "zeige zeig gib nenne verrate wiederhole drucke offenbare ausgeben "
             "affiche affichez montre montrez revele revelez repete repetez donne donnez "
             "muestra muestrame mostra mostrami mostre revela revele repite repita repita imprime "
             "imprima exiba dime diga divulga escribe "
             "rivela rivelami ripeti stampa mostrare "
             "toon geef onthul herhaal laat pokaz ujawnij wypisz powtorz podaj wyswietl "
             "покажи покажите выведи выведите раскрой раскройте повтори повторите напечатай "
             "اعرض اظهر اكشف اطبع كرر اخبرني "
             "显示 输出 告诉 告诉我 透露 重复 打印 展示 列出 公开 泄露 教えて 表示 出力 見せて "
             "繰り返し 開示 "
             "보여* 출력* 알려* 공개* 말해* 반복* "
             "goster yaz yazdir acikla soyle tekrarla paylas"},
    {"WHAT", "what what's whats which where how was wie quelles quels cuales quali quais wat jakie "
             "какие какой какова 什么 什麼 何 何です 뭐* 무엇* ne nedir ما"},
    {"VERBATIM",
     "verbatim exactly word-for-word literally unmodified unredacted wortlich mot "
     "textualmente letterlijk doslownie дословно 逐字 原文 一字不漏 그대로 aynen حرفيا"},
    {"NEW",
     "new following updated real actual true different neue neuen folgende nouvelle nouvelles "
     "suivantes nueva nuevas nuevo siguientes nuove nuova nuovi seguenti novas nova nieuwe "
     "volgende nowe nowa nowych новые новая новую новой следующие الجديدة جديدة 新 新的 新しい "
     "新たな "
     "새로운 yeni now"},
    {"TASK",
     "task job role mission goal objective purpose assignment aufgabe rolle ziel tache tarea "
     "compito tarefa missao taak zadanie zadaniem задача роль 任务 任務 目标 角色 任務は 役割 "
     "임무* 작업* "
     "gorevin gorev مهمتك مهمة"},
    {"NOW", "now henceforth onwards onward forward instead immediately jetzt nun ab fortan sofort "
            "maintenant desormais dorenavant ahora adelante agora diante ora adesso nu voortaan "
            "teraz odtad теперь отныне сейчас الان 现在 从现在 今から これから 지금부터 이제 "
            "이제부터 artik "
            "simdi bundan"},
    {"FROM", "from starting as beginning von partir de da a d'ora od с من 开始 起"},
    {"YOU", "you you're youre u your ya thou du sie ihr tu vous usted tú voce você je jij ty ты вы "
            "你 您 あなた 君 お前 너* 당신* sen siz انت lei"},
    {"AI",
     "ai assistant model chatbot bot llm gpt chatgpt claude gemini copilot agent language "
     "assistent* assistente asistente modell modelo modele modello ki ia asystent* asystencie "
     "модель ассистент* ии бот 助手 模型 人工智能 机器人 アシスタント モデル 어시스턴트* 모델* "
     "yapay asistan* المساعد"},
    {"ARE",
     "are are're you're act behave pretend become roleplay simulate imagine be respond answer "
     "speak operate play bist bin agis es eres sei sois ben jestes être are be"},
    {"ACT", "act behave pretend roleplay role-play simulate impersonate become operate embody "
            "emulate transform switch enter enable activate unlock "
            "play respond answer agis agissez actua actuar comportati agisci aja handel verhalte "
            "benimm zachowuj действуй веди притворись simule fais finge fingi imagine suppose"},
    {"MODE", "mode modus modo modalita tryb режим режиме 模式 モード 모드* modu moduna modda وضع"},
    {"JAIL", "dan jailbreak jailbroken dude stan aim unrestricted unfiltered uncensored "
             "unlimited amoral evil unethical lawless godmode god anti-gpt devmode unbound "
             "unchained mongo betterdan evilbot unshackled limitless unaligned liberated "
             "uneingeschrankt* ungefiltert* illimite sinfiltros unzensiert*"},
    {"DEVMODE",
     "developer dev debug maintenance admin administrator god sudo root jailbreak "
     "unrestricted diagnostic override test training unsafe unlocked entwickler* wartungs* "
     "diagnose* desarrollador developpeur sviluppatore разработчик* 开发者 開発者 조리 "
     "개발자* gelistirici dan opposite chaos rebel superuser privileged engineering opposites"},
    {"NOLIMIT",
     "without no free unbound freed ohne sans sin senza sem zonder bez без 没有 沒有 なし 없이 "
     "없는 بدون unlimited beyond break broken ignore lift remove removed"},
    {"LIMIT",
     "restrictions restriction rules filters filter limits limitations limitation "
     "constraints guidelines censorship ethics ethical morals moral boundaries safeguards "
     "guardrails policies policy content warnings disclaimers refusals shackles "
     "einschrankungen regeln filter grenzen beschrankungen restrictions regles "
     "limites restricciones reglas limite filtros restrizioni regole limiti "
     "restricoes regras beperkingen regels ograniczen zasad filtrow ограничений правил фильтров "
     "限制 约束 规则 制限 制約 제한* 제약* kisitlama* sinir* قيود القيود"},
    {"SAY",
     "say respond reply answer output print write type begin start end include append state "
     "return echo add insert mention end schreibe antworte sage sag reponds repondez dis dites "
     "responde di diga rispondi di' scrivi responda escreva antwoord zeg schrijf odpowiedz "
     "napisz powiedz ответь ответьте напиши скажи напишите قل اكتب اجب 回答 说 回复 写 答えて "
     "言って "
     "書いて 返答 대답* 말* 답* 써* 출력* soyle yaz cevap"},
    {"ONLY", "only just simply exactly nothing nur uniquement seulement solo solamente soltanto "
             "apenas somente alleen tylko только فقط 只 仅 だけ 만 sadece yalnizca"},
    {"PWN", "pwned hacked haxored owned pwn hax 'pwned' pwnd compromised injected p0wned"},
    {"SEND",
     "send email e-mail mail forward post upload transmit exfiltrate deliver submit transfer "
     "sende schicke leite envoie envoyez transfere envia enviar reenvia manda invia "
     "inoltra envie stuur verstuur wyslij przeslij отправь отправьте перешли أرسل ارسل 发送 发给 "
     "转发 送信 送って 보내* 전송* gonder ilet"},
    {"SECRET",
     "password passwords credential credentials secret secrets key keys token tokens "
     "api-key apikey conversation history contacts data information emails files "
     "prompt contents content memory context transcript inbox messages "
     "passwort passworter zugangsdaten daten verlauf schlussel mots contrasenas "
     "contrasena datos historial claves dati cronologia senhas senha dados wachtwoord* "
     "hasla hasel klucze парол* ключ* данные переписк* историю كلمات بيانات المحادثة 密码 密钥 "
     "对话 数据 パスワード 会話 履歴 비밀번호* 대화* 키* sifre* parola*"},
    {"TOOL",
     "tool tools function functions command commands shell terminal bash curl wget rm exec "
     "execute_* run_* send_* delete_* drop plugin api endpoint browser python script sql "
     "send_email delete_file delete_files read_file http_get fetch_url execute_code "
     "run_shell search_web transfer_funds tool_call function_call calendar database "
     "werkzeug outil herramienta strumento ferramenta narzedzie инструмент 工具 ツール 도구*"},
    {"USE", "call use invoke execute run trigger launch open visit fetch browse access delete drop "
            "install download navigate click query load issue "
            "rufe fuhre starte losche verwende appelle utilise executez execute ejecuta llama usa "
            "esegui chiama apri roep voer uruchom wywolaj usun выполни запусти вызови удали نفذ "
            "调用 执行 运行 删除 実行 呼び出し 削除 호출* 실행* 삭제* calistir cagir sil"},
    {"URL", "http https url link webhook server www endpoint address domain site website href src "
            "image markdown img"},
    {"MUST", "must should shall will need have required ordered commanded instructed authorized "
             "allowed permitted musst sollst darfst devez dois debes deve devi debe moet musisz "
             "должен должны يجب 必须 要 應該 必ず 해야* malisin gerekir can"},
    {"IM", "i'm i am we're we this here it's ich je yo io eu ik jestem я мы انا 我 我们 私 私は "
           "나* 저* ben"},
    {"BOSS", "developer developers creator creators admin administrator administrators root owner "
             "operator engineer openai anthropic google deepmind ceo supervisor superuser "
             "maintainer security-team team staff engineers programmer auditor redteam "
             "entwickler administrateur administrador amministratore beheerder разработчик "
             "администратор 开发者 管理员 管理員 開発者 管理者 개발자* 관리자* gelistirici "
             "yonetici المطور المسؤول"},
    {"AUTH", "authorization authorisation authorized authorised authorization-code code override "
             "clearance permission passcode access credentials verified verification approved "
             "authenticated sudo passphrase token badge privileges privilege granted "
             "freigabe* autorisierung* berechtigung* autorisation autorizacion autorizzazione "
             "autorizacao разрешени* 授权 权限 許可 権限 권한*"},
    {"EVIL", "harmful illegal malicious dangerous unethical anything whatever everything "
             "explosives bomb weapons meth malware virus hack drugs forbidden prohibited taboo"},
    {"UNABLE", "cannot can't cant refuse decline won't unable refusing refusal refusals sorry"},
    {"DO", "do answer comply generate provide say write tell obey follow perform assist"},
    {"DECODE", "decode base64 b64 base-64 rot13 hex hexadecimal decoded decoding urldecode "
               "percent-encoded dekodiere decodez decodifica зашифрован* 解码 デコード"},
    {"FOLLOWIT",
     "follow execute obey run perform do act comply carry instructions instruction apply "
     "answer"},
    {"TEXT", "text words conversation everything message messages context chat dialogue content "
             "paragraph line lines"},
    {"ROLE", "system developer sys systeminstruction admin systemprompt"},
    {"TURN", "assistant human user ai model instruction response bot tool"},
    {"END", "end stop begin beginning start ignore"},
    {"OFF", "disable deactivate suspend remove lift drop turn switch abandon break stop violate "
            "abandonner desactiva disattiva desative schalte deaktiviere wylacz отключи 关闭 解除 "
            "explain 解除して 해제* kapat"},
    {"SAFE",
     "safety filters filter moderation guardrails guardrail safeguards safeguard censorship "
     "restrictions alignment ethics ethical protections policy policies sicherheits* "
     "filtres filtros filtri фильтры безопасност* 安全 过滤 フィルター 필터*"},
    {"MARK", "important attention notice note urgent alert warning update achtung wichtig"},
    {"HIRE", "recommend hire approve rate score rank rating candidate positive praise favorable "
             "favourable excellent stars highest approved accept best top"},
    {"REPORT", "attack attacks attacker attackers adversar* injection* vulnerab* exploit exploits "
               "researcher* paper papers malicious threat threats hacker hackers mitigat* defend* "
               "defens* defence* detector* detect* phishing fraud* scam* awareness owasp article "
               "tricks trick tricked technique techniques payload* jailbreaks jailbreaking "
               "angriff* angreifer* attaque* attaquant* ataque* atacante* attacco aanval* ataki "
               "атак* 攻击 攻撃 공격* saldiri*"},
    {"NARR", "that which who to he she they it could would might may often usually sometimes can "
             "how if when users people someone"},
    {0}};

const struct injection_mark injection_marks[] = {{"<|im_start|>", 90},
                                                 {"<|im_end|>", 70},
                                                 {"<|system|>", 90},
                                                 {"<|assistant|>", 80},
                                                 {"<|user|>", 60},
                                                 {"<|endoftext|>", 80},
                                                 {"<|end|>", 60},
                                                 {"<|start_header_id|>", 90},
                                                 {"<|eot_id|>", 80},
                                                 {"<|end_header_id|>", 70},
                                                 {"[inst]", 75},
                                                 {"[/inst]", 75},
                                                 {"<<sys>>", 90},
                                                 {"<</sys>>", 90},
                                                 {"<start_of_turn>", 85},
                                                 {"<end_of_turn>", 75},
                                                 {"<|begin_of_text|>", 80},
                                                 {"<|channel|>", 75},
                                                 {"<|message|>", 70},
                                                 {"<|developer|>", 85},
                                                 {"[system]", 45},
                                                 {"[/system]", 60},
                                                 {"</system>", 60},
                                                 {"<system>", 60},
                                                 {"### system", 65},
                                                 {"### instruction", 55},
                                                 {"###system", 65},
                                                 {"</user_input>", 70},
                                                 {"</prompt>", 55},
                                                 {"<assistant>", 55},
                                                 {"</user>", 50},
                                                 {"[system message]", 70},
                                                 {"<system_prompt>", 65},
                                                 {"</instructions>", 55},
                                                 {"<|endofprompt|>", 85},
                                                 {"</data>", 45},
                                                 {"<system-reminder>", 70},
                                                 {"<admin>", 55},
                                                 {"[admin]", 50},
                                                 {"</s>", 40},
                                                 {"</document>", 40},
                                                 {"<tool_call>", 65},
                                                 {"<function_call", 60},
                                                 {"[tool_call", 65},
                                                 {"[developer]", 60},

                                                 {"<|tool", 60},
                                                 {0}};
